#include "agent/cli/mask_command.hpp"

#include "agent/cli/exit_codes.hpp"
#include "common/base/system_text.hpp"
#include "common/base/text.hpp"
#include "common/file/safe_file.hpp"
#include "common/mask/credential_patterns.hpp"
#include "common/mask/form_coverage.hpp"
#include "common/mask/mask_text.hpp"
#include "common/mask/masker.hpp"
#include "common/secret/secret_json.hpp"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <iostream>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <poll.h>
#include <unistd.h>

namespace trebuchet {
namespace {

constexpr std::size_t largest_file = 64U << 20;
constexpr std::size_t largest_buffer = 16U << 20;
constexpr int exit_io_failed = 1;

/// Collects names and values while a JSON object is parsed. If a name occurs twice, both values count. Messages quote
/// only names.
class SecretsReader : public nlohmann::json_sax<SecretJson> {
  public:
    std::vector<NamedSecret> secrets;
    std::string problem;

    /// Position of a syntax error in bytes, counted from 1; 0: none.
    std::size_t problem_at = 0;

    bool null() override { return refuse("null"); }
    bool boolean(bool value) override { return take(value ? "true" : "false", "a boolean"); }
    bool number_integer(number_integer_t value) override { return take(std::to_string(value), "a number"); }
    bool number_unsigned(number_unsigned_t value) override { return take(std::to_string(value), "a number"); }
    bool number_float(number_float_t /*value*/, const string_t& text) override { return take(text, "a number"); }
    bool string(string_t& value) override { return take(value, "a string"); }
    bool binary(binary_t& /*value*/) override { return refuse("binary data"); }
    bool start_array(std::size_t /*elements*/) override { return refuse("an array"); }
    bool end_array() override { return true; }
    bool end_object() override { return true; }
    bool start_object(std::size_t /*elements*/) override {
        if (inside_) return refuse("an object");
        inside_ = true;
        return true;
    }
    bool key(string_t& value) override {
        name_ = value;
        return true;
    }
    bool parse_error(std::size_t position, const std::string& /*last_token*/,
                     const nlohmann::detail::exception& /*error*/) override {
        problem = "this is not JSON: expected an object from name to value";
        problem_at = position;
        return false;
    }

  private:
    bool take(std::string_view value, const char* kind) {
        if (!inside_) return refuse(kind);
        secrets.push_back({name_, SecretString(value)});
        return true;
    }
    bool refuse(const char* kind) {
        problem = inside_ ? "the value of " + trebuchet::quoted(name_) + " is " + kind + ", expected a string"
                          : std::string("found ") + kind + ", expected an object from name to value";
        return false;
    }

    bool inside_ = false;
    std::string name_;
};

/// "file:line:column". `position` counts bytes from 1.
std::string place_in(const std::filesystem::path& file, std::string_view text, std::size_t position) {
    const auto before = text.substr(0, position == 0 ? 0 : position - 1);
    const auto line = 1 + std::count(before.begin(), before.end(), '\n');
    const auto line_start = before.rfind('\n') == std::string_view::npos ? 0 : before.rfind('\n') + 1;
    return file.string() + ':' + std::to_string(line) + ':' + std::to_string(before.size() - line_start + 1);
}

Result<std::vector<NamedSecret>> read_secrets(const std::filesystem::path& file) {
    const auto bytes = read_secret_file(file, largest_file);
    if (!bytes) return fail(bytes.error());
    const auto text = bytes->reveal();
    SecretsReader reader;
    // SecretJson::sax_parse() would do the same, but does not compile with a string type other than std::string.
    using Input = decltype(nlohmann::detail::input_adapter(text.begin(), text.end()));
    nlohmann::detail::parser<SecretJson, Input> parser(nlohmann::detail::input_adapter(text.begin(), text.end()));
    if (!parser.sax_parse(&reader)) {
        const auto place = reader.problem_at == 0 ? file.string() : place_in(file, text, reader.problem_at);
        return fail(Error(reader.problem).with_context(place));
    }
    return std::move(reader.secrets);
}

void wait_for(int fd, short events) {
    pollfd poll_for{fd, events, 0};
    ::poll(&poll_for, 1, -1);
}

/// Returns the number of bytes, 0 at the end, or -1 with errno.
ssize_t read_some(std::vector<char, WipingAllocator<char>>& buffer) {
    while (true) {
        const auto count = ::read(STDIN_FILENO, buffer.data(), buffer.size());
        if (count >= 0) return count;
        if (errno == EAGAIN) {
            wait_for(STDIN_FILENO, POLLIN);
        } else if (errno != EINTR) {
            return -1;
        }
    }
}

/// Returns false, with errno, if not everything could be written.
bool write_out(const MaskedChunk& chunk) {
    auto rest = chunk.bytes();
    while (!rest.empty()) {
        const auto count = ::write(STDOUT_FILENO, rest.data(), rest.size());
        if (count >= 0) {
            rest.remove_prefix(static_cast<std::size_t>(count));
        } else if (errno == EAGAIN) {
            wait_for(STDOUT_FILENO, POLLOUT);
        } else if (errno != EINTR) {
            return false;
        }
    }
    return true;
}

void complain(const std::string& message) {
    std::cerr << "trebuchet-agent mask: " << message << '\n';
}

int io_failed(const char* what) {
    complain(what + system_text(errno));
    return exit_io_failed;
}

int write_failed() {
    return errno == EPIPE ? 0 : io_failed("cannot write to the standard output: ");
}

int copy_masked(Masker masker, std::size_t read_size) {
    std::vector<char, WipingAllocator<char>> buffer(std::clamp<std::size_t>(read_size, 1, largest_buffer));
    while (true) {
        const auto count = read_some(buffer);
        if (count < 0) return io_failed("cannot read the standard input: ");
        if (count == 0) break;
        if (!write_out(masker.write({buffer.data(), static_cast<std::size_t>(count)}))) return write_failed();
    }
    return write_out(masker.finish()) ? 0 : write_failed();
}

std::string joined(const std::vector<std::string_view>& words) {
    std::string text;
    for (const auto word : words) text.append(text.empty() ? "" : ", ").append(word);
    return text;
}

/// Prints nothing of the value.
void describe(const NamedSecret& secret, std::size_t min_length) {
    const auto name = trebuchet::quoted(secret.name);
    if (secret.value.empty()) {
        std::cout << name << ": empty, nothing to mask\n";
        return;
    }
    const auto coverage = coverage_of(secret.value.reveal(), min_length);
    if (!coverage.masked.empty()) std::cout << name << ": masked: " << joined(coverage.masked) << '\n';
    if (!coverage.not_masked.empty()) {
        std::cout << name << ": not masked, too short: " << joined(coverage.not_masked) << '\n';
    }
    if (coverage.weakness == FormCoverage::Weakness::brief) {
        std::cout << name << ": weak: short, so it is easy to guess and may occur in ordinary text\n";
    } else if (coverage.weakness == FormCoverage::Weakness::common) {
        std::cout << name << ": weak: a common word or one repeated character\n";
    }
}

void describe_credentials(const std::vector<std::string>& off) {
    std::vector<std::string_view> masked;
    std::vector<std::string_view> not_masked;
    for (const auto kind : credential_kind_names) {
        const bool is_off = std::find(off.begin(), off.end(), kind) != off.end();
        (is_off ? not_masked : masked).push_back(kind);
    }
    if (!masked.empty()) std::cout << "well-known credentials: masked: " << joined(masked) << '\n';
    if (!not_masked.empty()) std::cout << "well-known credentials: not masked, off: " << joined(not_masked) << '\n';
}

}  // namespace

int mask_command(const MaskCommandOptions& options) {
    std::signal(SIGPIPE, SIG_IGN);
    auto secrets = read_secrets(options.secrets_file);
    if (!secrets) {
        complain(secrets.error().message());
        return exit_usage;
    }
    MaskOptions masks;
    // The set replaces the key of these masks by its own.
    auto credentials = CredentialPatterns::build(options.credentials_off, std::make_shared<const MaskText>(masks.hash));
    if (!credentials) {
        complain(credentials.error().message());
        return exit_usage;
    }
    masks.credentials = std::move(*credentials);
    if (options.check) {
        for (const auto& secret : *secrets) describe(secret, masks.min_length);
        describe_credentials(options.credentials_off);
        return std::cout.flush() ? 0 : exit_io_failed;
    }
    const auto set = MaskSet::build(std::move(*secrets), masks);
    if (!set) {
        complain(set.error().message());
        return exit_usage;
    }
    for (const auto& name : (*set)->too_short()) {
        complain("the value of " + trebuchet::quoted(name) + " is too short to be masked: it may appear in the output");
    }
    return copy_masked(Masker(*set), options.read_size);
}

}  // namespace trebuchet
