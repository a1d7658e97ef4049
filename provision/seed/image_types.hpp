#pragma once

#include <string>
#include <vector>

namespace trebuchet {

enum class SeedForm {
    nocloud,      ///< files user-data and meta-data in the folder
    user_data,    ///< only user-data
    config_file,  ///< 99_nocloud.cfg, with the user-data as a part of the system's own configuration
    none,         ///< the image takes no cloud-init
};

/// A kind of image, how it is recognised, and where it takes its first user from. Paths begin with a partition's label.
struct ImageType {
    const char* name;
    const char* test;    ///< a shell condition, true for this type, in a folder with the partitions mounted by label
    const char* folder;  ///< of the seed
    SeedForm form;
    const char* root;  ///< of the installed system, for sudoers; "": it has its own way
};

/// In the order in which they are tried: the first whose test is true. (Types and places are those of the reference's
/// muxpi connector.)
[[nodiscard]] const std::vector<ImageType>& image_types();

/// Null if there is none of this name.
[[nodiscard]] const ImageType* find_image_type(const std::string& name);

}  // namespace trebuchet
