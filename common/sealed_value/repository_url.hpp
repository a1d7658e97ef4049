#pragma once

#include "common/base/result.hpp"

#include <string>
#include <string_view>

namespace trebuchet {

/// One form for each repository, so that all of its users name the same keys:
///
///     git@Git.example.org:team/app.git        https://git.example.org/team/app.git
///     ssh://git@git.example.org:22/team/app   https://git.example.org/team/app
///     https://user:password@git.example.org/  https://git.example.org
///     /srv/git/app.git                        file:///srv/git/app.git
///
/// `.git` stays as it is written. Fails for what names no repository; quotes no password.
[[nodiscard]] Result<std::string> repository_url(std::string_view text);

}  // namespace trebuchet
