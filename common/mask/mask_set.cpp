#include "common/mask/mask_set.hpp"

#include "common/mask/credential_patterns.hpp"
#include "common/mask/credential_stream.hpp"
#include "common/mask/mask_counts.hpp"
#include "common/mask/mask_text.hpp"
#include "common/mask/matcher.hpp"
#include "common/mask/secret_forms.hpp"
#include "common/mask/views/skeleton.hpp"

#include <algorithm>
#include <exception>
#include <iterator>

namespace trebuchet {
namespace {

bool is_too_short(std::string_view value, std::size_t min_length) {
    const auto core = core_of(value);
    return core.empty() || core.size() < min_length;
}

struct LiteralsOfValues {
    std::vector<Literal> literals;
    std::vector<Literal> skeletons;
    std::vector<MaskedValue> values;
};

/// True for a value or a part of one as it is.
bool is_plain(Form form) {
    return form == Form::trimmed || form == Form::line || form == Form::json_leaf;
}

void add_skeleton(std::string_view text, std::uint32_t value, Form form, std::vector<Literal>& skeletons) {
    const auto skeleton = skeleton_of(text);
    if (skeleton.size() >= ViewSearch::least) skeletons.push_back({SecretString(skeleton), value, form});
}

/// Unchanged values come first, so that a value which is also a form of another value gets its own mask.
LiteralsOfValues literals_of(const std::vector<NamedSecret>& secrets, const MaskOptions& options,
                             const MaskText& mask_text) {
    LiteralsOfValues all;
    std::vector<Literal> derived;
    for (const auto& secret : secrets) {
        const auto value = secret.value.reveal();
        if (core_of(value).empty() || value.size() < options.min_length) continue;
        const auto index = static_cast<std::uint32_t>(all.values.size());
        all.values.push_back({secret.name, mask_text.of(value)});
        for (auto& form : derived_forms(value, options.min_length)) {
            if (options.views && is_plain(form.form))
                add_skeleton(form.bytes.reveal(), index, form.form, all.skeletons);
            derived.push_back({std::move(form.bytes), index, form.form, form.any_case});
        }
        if (options.views) add_skeleton(value, index, Form::exact, all.skeletons);
        all.literals.push_back({secret.value.clone(), index});
    }
    std::move(derived.begin(), derived.end(), std::back_inserter(all.literals));
    return all;
}

}  // namespace

std::string MaskSet::Matcher::mask(std::string_view text, MaskCounts* counts) const {
    std::unique_ptr<MaskStream> stream;
    {
        const std::lock_guard lock(mutex_);
        if (!idle_.empty()) {
            stream = std::move(idle_.back());
            idle_.pop_back();
        }
    }
    if (!stream) stream = std::make_unique<MaskStream>(make_stream());
    std::string out;
    stream->count_in(counts);
    stream->write_last(text, out);
    const std::lock_guard lock(mutex_);
    idle_.push_back(std::move(stream));
    return out;
}

MaskSet::MaskSet() = default;
MaskSet::~MaskSet() = default;

Result<std::shared_ptr<const MaskSet>> MaskSet::build(std::vector<NamedSecret> secrets, const MaskOptions& options) {
    return make(std::move(secrets), options, std::make_shared<const MaskText>(options.hash, options.key.get()));
}

Result<std::shared_ptr<const MaskSet>> MaskSet::with(std::vector<NamedSecret> more) const {
    std::vector<NamedSecret> all;
    all.reserve(secrets_.size() + more.size());
    for (const auto& secret : secrets_) all.push_back({secret.name, secret.value.clone()});
    std::move(more.begin(), more.end(), std::back_inserter(all));
    return make(std::move(all), options_,
                texts_ ? texts_ : std::make_shared<const MaskText>(options_.hash, options_.key.get()));
}

Result<std::shared_ptr<const MaskSet>> MaskSet::make(std::vector<NamedSecret> secrets, const MaskOptions& options,
                                                     std::shared_ptr<const MaskText> texts) {
    const std::shared_ptr<MaskSet> set(new MaskSet());
    set->options_ = options;
    set->texts_ = std::move(texts);
    if (options.credentials) set->credentials_ = options.credentials->with(set->texts_);
    for (const auto& secret : secrets) {
        if (secret.value.empty() || !trebuchet::is_too_short(secret.value.reveal(), options.min_length)) continue;
        const auto known = std::find(set->too_short_.begin(), set->too_short_.end(), secret.name);
        if (known == set->too_short_.end()) set->too_short_.push_back(secret.name);
    }
    try {
        auto literals = literals_of(secrets, options, *set->texts_);
        set->secrets_ = std::move(secrets);
        if (literals.literals.empty()) return set;
        auto compiled = Literals::compile(std::move(literals.literals), std::move(literals.values));
        if (!compiled) return fail(std::move(compiled).error());
        std::unique_ptr<const Literals> skeletons;
        if (options.views && !literals.skeletons.empty()) {
            auto compiled_skeletons = Literals::compile(std::move(literals.skeletons), {});
            if (!compiled_skeletons) return fail(std::move(compiled_skeletons).error());
            skeletons = std::move(*compiled_skeletons);
        }
        set->matcher_ = std::make_unique<const Matcher>(std::move(*compiled), std::move(skeletons));
    } catch (const std::exception& error) {
        return fail(std::string("cannot mask secrets: ") + error.what());
    }
    return set;
}

NoMasks::operator std::shared_ptr<const MaskSet>() const {
    static const std::shared_ptr<const MaskSet> set(new MaskSet());
    return set;
}

MaskedChunk MaskSet::mask(std::string_view text, MaskCounts* counts) const {
    std::string masked = matcher_ ? matcher_->mask(text, counts) : std::string(text);
    if (!credentials_) return MaskedChunk(std::move(masked));
    std::string shown;
    const auto count = [counts](CredentialKind kind) {
        if (counts != nullptr) counts->add(kind);
    };
    CredentialStream(credentials_, count).write_last(masked, shown);
    wipe(masked.data(), masked.size());
    return MaskedChunk(std::move(shown));
}

const std::vector<std::string>& MaskSet::too_short() const {
    return too_short_;
}

std::size_t MaskSet::longest() const {
    return matcher_ ? matcher_->literals().longest() : 0;
}

bool MaskSet::holds(std::string_view value) const {
    return std::any_of(secrets_.begin(), secrets_.end(),
                       [&](const NamedSecret& secret) { return secret.value.reveal() == value; });
}

bool MaskSet::is_too_short(std::string_view value) const {
    return trebuchet::is_too_short(value, options_.min_length);
}

}  // namespace trebuchet
