#include "common/base/text.hpp"
#include "common/yaml/yaml.hpp"
#include "common/yaml/yaml_text.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <sstream>
#include <utility>

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

namespace trebuchet {
namespace {

YamlPosition position(const YAML::Mark& mark) {
    return mark.is_null() ? YamlPosition{} : YamlPosition{mark.line + 1, mark.column + 1};
}

/// Thrown by event handlers through yaml-cpp's parser, and caught in parse_yaml.
struct Refused {
    YamlProblem problem;
};

[[noreturn]] void refuse(YamlPosition at, std::string text) {
    throw Refused{{at, std::move(text)}};
}

struct Extent {
    std::size_t nodes = 0;
    std::size_t bytes = 0;
    std::size_t depth = 0;
};

Extent extent(const YamlNode& node) {
    Extent all{1, node.text.size(), 0};
    const auto add = [&all](const YamlNode& child) {
        const auto part = extent(child);
        all.nodes += part.nodes;
        all.bytes += part.bytes;
        all.depth = std::max(all.depth, part.depth);
    };
    for (const auto& item : node.items) add(item);
    for (const auto& entry : node.entries) {
        all.bytes += entry.key.size();
        add(entry.value);
    }
    ++all.depth;
    return all;
}

bool has_standard_tag(const std::string& tag, std::string_view name) {
    return tag.size() == 18 + name.size() && tag.compare(0, 18, "tag:yaml.org,2002:") == 0 &&
           tag.compare(18, std::string::npos, name) == 0;
}

/// Fixes yaml-cpp 0.7, which turns the escapes \N and \_ into the bytes 0x85 and 0xA0 instead of U+0085 and U+00A0. The
/// rest is valid UTF-8.
std::string with_whole_escapes(const std::string& value) {
    std::string out;
    out.reserve(value.size());
    int awaited = 0;  // continuation bytes that the current character still needs
    for (const char c : value) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte >= 0xC0) {
            awaited = byte >= 0xF0 ? 3 : byte >= 0xE0 ? 2 : 1;
        } else if (byte < 0x80) {
            awaited = 0;
        } else if (awaited > 0) {
            --awaited;
        } else {
            out += '\xC2';
        }
        out += c;
    }
    return out;
}

class TreeBuilder final : public YAML::EventHandler {
  public:
    explicit TreeBuilder(const YamlLimits& limits) : limits_(limits) {}

    YamlDocument take() { return std::move(document_); }

    void OnDocumentStart(const YAML::Mark& mark) override {
        if (std::exchange(started_, true)) {
            refuse(position(mark), "found the start of another document, expected the end of the text");
        }
    }
    void OnDocumentEnd() override {}

    void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
        YamlNode node;
        node.at = position(mark);
        add(std::move(node), anchor);
    }

    void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
        const auto named = anchors_.find(anchor);
        if (named == anchors_.end()) refuse(position(mark), "found an alias inside the node that it refers to");
        const auto size = extent(named->second);
        check_depth(size.depth, position(mark));
        charge(size, position(mark));
        add(named->second, 0);
    }

    void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  const std::string& value) override {
        YamlNode node;
        node.kind = YamlKind::scalar;
        node.at = position(mark);
        node.text = with_whole_escapes(value);
        node.was_quoted = tag == "!" || has_standard_tag(tag, "str");
        if (!node.was_quoted && tag != "?" && std::none_of(scalar_tags.begin(), scalar_tags.end(), [&](auto name) {
                return has_standard_tag(tag, name);
            })) {
            refuse_tag(node.at, tag);
        }
        add(std::move(node), anchor);
    }

    void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                         YAML::EmitterStyle::value /*style*/) override {
        start(YamlKind::sequence, "seq", mark, tag, anchor);
    }
    void OnSequenceEnd() override { end(); }

    void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                    YAML::EmitterStyle::value /*style*/) override {
        start(YamlKind::map, "map", mark, tag, anchor);
    }
    void OnMapEnd() override {
        resolve_keys(open_.back().node);
        end();
    }

  private:
    struct Open {
        YamlNode node;
        YAML::anchor_t anchor = 0;
        std::optional<YamlEntry> entry;  ///< its key is read, its value is not
        bool key_is_plain = false;
        std::vector<std::size_t> merges;  ///< entries whose key is a plain <<
    };
    static constexpr std::array<std::string_view, 4> scalar_tags{"null", "bool", "int", "float"};

    [[noreturn]] static void refuse_tag(YamlPosition at, const std::string& tag) {
        refuse(at, "found the tag " + trebuchet::quoted(tag) +
                       ", expected none, or one of !!str, !!int, !!float, !!bool, !!null");
    }

    void check_depth(std::size_t more, YamlPosition at) const {
        if (open_.size() + more > limits_.depth) {
            refuse(at, "found more than " + std::to_string(limits_.depth) + " levels of nesting");
        }
    }

    void charge(const Extent& size, YamlPosition at) {
        nodes_ += size.nodes;
        bytes_ += size.bytes;
        if (nodes_ > limits_.nodes || bytes_ > 4 * limits_.bytes) {
            refuse(at, "found more than is accepted (" + std::to_string(limits_.nodes) +
                           " values, with every alias counted as often as it is used)");
        }
    }

    void start(YamlKind kind, std::string_view standard, const YAML::Mark& mark, const std::string& tag,
               YAML::anchor_t anchor) {
        if (tag != "?" && tag != "!" && !has_standard_tag(tag, standard)) refuse_tag(position(mark), tag);
        check_depth(1, position(mark));
        Open opened;
        opened.node.kind = kind;
        opened.node.at = position(mark);
        opened.anchor = anchor;
        open_.push_back(std::move(opened));
    }

    void end() {
        auto closed = std::move(open_.back());
        open_.pop_back();
        add(std::move(closed.node), closed.anchor);
    }

    void add(YamlNode node, YAML::anchor_t anchor) {
        charge({1, node.text.size(), 0}, node.at);
        if (anchor != 0) {
            charge(extent(node), node.at);
            anchors_[anchor] = node;
        }
        if (open_.empty()) {
            document_.root = std::move(node);
            return;
        }
        auto& parent = open_.back();
        if (parent.node.kind == YamlKind::sequence) {
            parent.node.items.push_back(std::move(node));
        } else if (!parent.entry) {
            take_key(parent, std::move(node));
        } else {
            if (node.kind == YamlKind::null) node.at = parent.entry->key_at;
            parent.entry->value = std::move(node);
            if (parent.key_is_plain && parent.entry->key == "<<") parent.merges.push_back(parent.node.entries.size());
            parent.node.entries.push_back(std::move(*parent.entry));
            parent.entry.reset();
        }
    }

    static void take_key(Open& parent, YamlNode node) {
        if (node.kind == YamlKind::sequence || node.kind == YamlKind::map) {
            refuse(node.at, "found " + node.found() + " as a key, expected a string");
        }
        YamlEntry entry;
        entry.key = node.kind == YamlKind::null ? "null" : std::move(node.text);
        entry.key_at = node.at;
        parent.key_is_plain = !node.was_quoted;
        parent.entry = std::move(entry);
    }

    /// Expands merge keys, and keeps the last one of duplicate keys, as PyYAML does.
    void resolve_keys(YamlNode& map) {
        const auto& merges = open_.back().merges;
        auto entries = std::exchange(map.entries, {});
        std::map<std::string, std::size_t, std::less<>> index;
        const auto put = [&](YamlEntry entry) {
            const auto [place, is_new] = index.emplace(entry.key, map.entries.size());
            if (is_new) {
                map.entries.push_back(std::move(entry));
            } else {
                map.entries[place->second] = std::move(entry);
            }
        };
        for (const auto merge : merges) {
            for (auto& entry : merged_entries(std::move(entries[merge].value))) put(std::move(entry));
        }
        std::map<std::string, YamlPosition, std::less<>> own;
        auto next_merge = merges.begin();
        for (std::size_t i = 0; i < entries.size(); ++i) {
            if (next_merge != merges.end() && *next_merge == i) {
                ++next_merge;
                continue;
            }
            const auto [first, is_new] = own.emplace(entries[i].key, entries[i].key_at);
            if (!is_new) {
                document_.warnings.push_back({entries[i].key_at, "found the key " + trebuchet::quoted(entries[i].key) +
                                                                     " a second time (first in line " +
                                                                     std::to_string(first->second.line) +
                                                                     "), expected it once; the last one counts"});
            }
            put(std::move(entries[i]));
        }
    }

    /// In increasing priority: the last one wins.
    static std::vector<YamlEntry> merged_entries(YamlNode value) {
        if (value.kind == YamlKind::map) return std::move(value.entries);
        const auto is_map = [](const YamlNode& item) { return item.kind == YamlKind::map; };
        if (value.kind != YamlKind::sequence || !std::all_of(value.items.begin(), value.items.end(), is_map)) {
            refuse(value.at, "found " + value.found() + " after the merge key <<, expected a map or a list of maps");
        }
        std::vector<YamlEntry> all;
        for (auto item = value.items.rbegin(); item != value.items.rend(); ++item) {
            for (auto& entry : item->entries) all.push_back(std::move(entry));
        }
        return all;
    }

    YamlLimits limits_;
    YamlDocument document_;
    std::vector<Open> open_;
    std::map<YAML::anchor_t, YamlNode> anchors_;
    std::size_t nodes_ = 0;
    std::size_t bytes_ = 0;
    bool started_ = false;
};

YamlDocument build(const std::string& text, const YamlLimits& limits) {
    std::istringstream stream(text);
    YAML::Parser parser(stream);
    TreeBuilder builder(limits);
    while (parser.HandleNextDocument(builder)) {
    }
    return builder.take();
}

}  // namespace

YamlResult<YamlDocument> parse_yaml(std::string_view text, const YamlLimits& limits) {
    if (text.size() > limits.bytes) {
        return tl::unexpected(YamlProblem{
            {}, "found " + std::to_string(text.size()) + " bytes, expected at most " + std::to_string(limits.bytes)});
    }
    if (auto problem = find_forbidden_character(text)) return tl::unexpected(std::move(*problem));
    try {
        // yaml-cpp 0.7 may accept an unterminated quote at the end of the text. With " #" appended it does not.
        static_cast<void>(build(std::string(text) + " #", limits));
        return build(std::string(text), limits);
    } catch (const Refused& refused) {
        return tl::unexpected(refused.problem);
    } catch (const YAML::Exception& error) {
        return tl::unexpected(YamlProblem{position(error.mark), "this is not valid YAML: " + error.msg});
    }
}

}  // namespace trebuchet
