#pragma once

#include <string>
#include <vector>

namespace trebuchet {

enum class SeedForm {
    nocloud,      ///< files user-data and meta-data
    user_data,    ///< only the file user-data
    config_file,  ///< user-data as 99_nocloud.cfg in cloud-init's configuration folder
    none,         ///< the image does not run cloud-init
};

/// An image type: how to recognise it and where its cloud-init seed goes. Paths start with a partition label.
struct ImageType {
    const char* name;
    const char* test;    ///< shell condition, run where the partitions are mounted by label
    const char* folder;  ///< for the seed
    SeedForm form;
    const char* root;  ///< root of the installed system, for sudoers; "": no sudoers file
};

/// In order of detection: the first type whose test is true wins. Types and paths are those of the reference's muxpi.
[[nodiscard]] const std::vector<ImageType>& image_types();

/// Null if the name is unknown.
[[nodiscard]] const ImageType* find_image_type(const std::string& name);

}  // namespace trebuchet
