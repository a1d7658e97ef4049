// Has only its precompiled headers, see Options.cmake.
