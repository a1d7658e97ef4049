#pragma once

#include "common/mask/credential_kind.hpp"
#include "common/mask/form.hpp"

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <tuple>

namespace trebuchet {

/// Counts masks per name and form. Contains no part of a value. Not thread-safe.
class MaskCounts {
  public:
    struct Key {
        std::string name;
        Form form;
        bool operator==(const Key&) const = default;
    };

    void add(std::string_view name, Form form, std::uint64_t times = 1);
    /// Counts a well-known credential under credential_name().
    void add(CredentialKind kind) { add(credential_name(kind), Form::exact); }
    void merge(const MaskCounts& other);

    [[nodiscard]] bool empty() const { return counts_.empty(); }
    [[nodiscard]] std::uint64_t total() const;

    struct Less {
        using is_transparent = void;
        template <typename Left, typename Right>
        bool operator()(const Left& left, const Right& right) const {
            return as_tuple(left) < as_tuple(right);
        }

      private:
        template <typename AnyKey>
        static std::tuple<std::string_view, Form> as_tuple(const AnyKey& key) {
            return {key.name, key.form};
        }
    };
    using Counts = std::map<Key, std::uint64_t, Less>;

    /// Sorted by name, then by form.
    [[nodiscard]] const Counts& sorted() const { return counts_; }

    /// For example "well-known credential github".
    [[nodiscard]] static std::string credential_name(CredentialKind kind);

  private:
    Counts counts_;
};

}  // namespace trebuchet
