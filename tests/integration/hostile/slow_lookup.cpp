// LD_PRELOAD: a resolver that never answers. Says that it was asked by making the file $TREBUCHET_LOOKUP_BEGUN.
#include <cstdlib>

#include <fcntl.h>
#include <netdb.h>
#include <unistd.h>

extern "C" int getaddrinfo(const char* /*node*/, const char* /*service*/, const addrinfo* /*hints*/,
                           addrinfo** /*result*/) {
    if (const char* const note = std::getenv("TREBUCHET_LOOKUP_BEGUN")) {
        ::close(::open(note, O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
    }
    while (true) ::pause();
}
