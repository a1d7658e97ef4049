#include "common/base/text.hpp"
#include "common/file/regular_file.hpp"
#include "common/secret/base64.hpp"
#include "common/yaml/yaml.hpp"
#include "provision/connectors/connector.hpp"
#include "provision/connectors/control_host_service.hpp"
#include "provision/connectors/key_login.hpp"
#include "provision/connectors/oem_script.hpp"
#include "provision/job/job_url.hpp"
#include "provision/ssh/shell_quote.hpp"

#include <array>
#include <memory>

namespace trebuchet {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t longest_key_file = std::size_t{64} * 1024;
constexpr std::size_t longest_user_data = std::size_t{1024} * 1024;
/// The first password of a computer that an OEM installed.
constexpr const char* oem_password = "u";
/// The preset that installs an OEM's image.
constexpr const char* oem_preset = "desktop-jammy-oem";
constexpr std::string_view autoinstall_prefix = "autoinstall_";

std::string name_of(const SecretJson::object_t::value_type& entry) {
    return {entry.first.data(), entry.first.size()};
}

/// What is installed after the OEM's first image.
struct OemImage {
    std::string url;  ///< "": nothing
    OemRecoveryKind kind = OemRecoveryKind::dell;
};

/// A computer that the service of its control host installs over video, keyboard and a virtual USB stick.
class ControlHostKvm final : public Connector {
  public:
    [[nodiscard]] ConnectorKeys keys() const override {
        ConnectorKeys keys{
            service_keys(),
            {{"url", KeyKind::text, "",
              "ISO image to install; with alloem_url the OEM's, which is installed afterwards"},
             {"robot_tasks", KeyKind::value, "", "Robot Framework tasks that install it; not with a preset"},
             {"preset", KeyKind::text, "", "name of a way to install that the service knows; takes all other keys"},
             {"alloem_url", KeyKind::text, "", "OEM image that is installed first"},
             {"oem",
              KeyKind::choice,
              "oemscript",
              "whose image url is, with alloem_url",
              false,
              false,
              {"hp", "dell", "lenovo", "oemscript"}},
             {"robot_retries", KeyKind::number, "", "how often the tasks are repeated"},
             {"cmdline_append", KeyKind::text, "", "more arguments for the kernel"},
             {"live_image", KeyKind::flag, "", "the image is not installed"},
             {"wait_until_ssh", KeyKind::flag, "", "wait for the device's ssh"},
             {"skip_download", KeyKind::flag, "", "the service has the image already"},
             {"ubuntu_sso_email", KeyKind::text, "", "Ubuntu account"},
             {"autoinstall_storage_layout", KeyKind::text, "", "as all autoinstall_ keys: for subiquity's autoinstall"},
             {"autoinstall_base_user_data", KeyKind::text, "", "user data in base64"},
             {"autoinstall_oem", KeyKind::flag, "false", "use autoinstall_user_data of the configuration"},
             {"reboot_script", KeyKind::commands, "", "instead of the configuration's, by the service"},
             {"poweron_script", KeyKind::commands, "", "likewise"},
             silence_key()}};
        keys.config.push_back({"autoinstall_user_data", KeyKind::text, "",
                               "file on the agent's host: user data for jobs with autoinstall_oem"});
        const auto script = oem_script_keys();
        keys.config.insert(keys.config.end(), script.begin(), script.end());
        return keys;
    }
    [[nodiscard]] std::vector<std::string> problems(const ConnectorConfig& config) const override {
        return missing_for_service(config);
    }

  protected:
    StageResult provision(StageContext& context) override {
        context.log.info("BEGIN provision");
        auto result = install(context);
        context.log.info("END provision");
        return result;
    }

  private:
    static StageResult install(StageContext& context) {
        const auto data = context.job.provision_data();
        if (!data) return job_error(data.error().message());
        ServiceRequest request{"ProvisioningKVM", SecretJson::object(), provision_attachment()};
        const bool is_oem = installs_oem(*data);
        const auto done = data->contains("preset") ? add_preset(*data, request.arguments, context)
                                                   : add_tasks(*data, request.arguments, context);
        if (!done) return provisioning_error(done.error().message());
        if (auto read = read_silence(request, context.job); !read) return job_error(read.error().message());
        OemImage image;
        if (is_oem) {
            // Now, not after an installation that takes hours.
            auto found = oem_image(context);
            if (!found) return job_error(found.error().message());
            image = std::move(*found);
        }
        if (auto added = add_login(is_oem, request.arguments, context); !added) {
            return provisioning_error(added.error().message());
        }
        if (auto added = add_device_arguments(context.config, request.arguments); !added) {
            return stage_error("ConfigError", added.error().message());
        }
        auto result = provision_by_service(request, context);
        if (!result || *result != 0 || !is_oem) return result;
        return finish_oem(image, context);
    }

    /// A preset knows its own login; only one of them installs as alloem_url does without a preset.
    static bool installs_oem(const SecretJson& data) {
        return data.contains("preset") ? data.at("preset") == secret_text(oem_preset) : data.contains("alloem_url");
    }

    /// The service's part of the OEM preset is the installation of alloem_url, or a recovery; `url` comes afterwards.
    static Result<void> add_preset(const SecretJson& data, SecretJson& arguments, StageContext& context) {
        const bool is_oem = installs_oem(data);
        for (const auto& entry : data.get_ref<const SecretJson::object_t&>()) {
            const auto name = name_of(entry);
            const bool is_image = name == "url" || name == "alloem_url";
            if (name.starts_with(autoinstall_prefix) || (is_oem && is_image)) continue;
            arguments[name.c_str()] = entry.second;
        }
        if (is_oem && data.contains("alloem_url")) arguments["url"] = data.at("alloem_url");
        auto done = add_autoinstall(data, arguments, context);
        if (done && arguments.at("autoinstall_conf").is_null()) arguments.erase("autoinstall_conf");
        return done;
    }

    static Result<void> add_tasks(const SecretJson& data, SecretJson& arguments, StageContext& context) {
        const auto* url = data.contains("alloem_url") ? "alloem_url" : "url";
        if (!data.contains(url)) return fail("provision_data.url is missing: expected the image");
        if (!data.contains("robot_tasks")) {
            return fail("provision_data.robot_tasks is missing: expected a list of tasks, or a preset");
        }
        arguments["url"] = data.at(url);
        arguments["robot_tasks"] = data.at("robot_tasks");
        constexpr std::array<const char*, 8> passed_on{"cmdline_append", "skip_download",    "wait_until_ssh",
                                                       "live_image",     "ubuntu_sso_email", "robot_retries",
                                                       "reboot_script",  "poweron_script"};
        for (const auto* name : passed_on) {
            if (data.contains(name)) arguments[name] = data.at(name);
        }
        return add_autoinstall(data, arguments, context);
    }

    static Result<void> add_autoinstall(const SecretJson& data, SecretJson& arguments, StageContext& context) {
        arguments["autoinstall_conf"] = nullptr;
        const auto wants_oem = context.job.provision_flag("autoinstall_oem", false);
        if (!wants_oem) return fail(wants_oem.error());
        if (*wants_oem) return add_own_user_data(arguments, context.config);
        for (const auto& entry : data.get_ref<const SecretJson::object_t&>()) {
            const auto name = name_of(entry);
            if (!name.starts_with(autoinstall_prefix) || name == "autoinstall_oem") continue;
            arguments["autoinstall_conf"][name.substr(autoinstall_prefix.size()).c_str()] = entry.second;
        }
        const auto& conf = arguments["autoinstall_conf"];
        if (!conf.is_object() || !conf.contains("base_user_data")) return {};
        const auto& encoded = conf.at("base_user_data");
        const auto text = encoded.is_string() ? base64_decoded(encoded.get_ref<const WipedString&>()) : std::nullopt;
        if (!text) return fail("Provided `base_user_data` is not valid base64.");
        if (!parse_yaml(text->reveal())) return fail("Provided `base_user_data` is not a valid YAML.");
        return {};
    }

    static Result<void> add_own_user_data(SecretJson& arguments, const ConnectorConfig& config) {
        const auto file = config.scalars.find("autoinstall_user_data");
        if (file == config.scalars.end() || file->second.empty()) {
            return fail("the job sets autoinstall_oem, but the configuration has no autoinstall_user_data");
        }
        const auto text = read_regular_file(file->second, longest_user_data);
        if (!text) return fail(text.error().with_context("autoinstall_user_data"));
        arguments["autoinstall_conf"]["base_user_data"] = secret_text(base64_encoded(*text));
        arguments["autoinstall_conf"]["storage_layout"] = secret_text("direct");
        return {};
    }

    static Result<void> add_login(bool is_oem, SecretJson& arguments, StageContext& context) {
        const auto name = context.job.test_username();
        if (!name) return fail(name.error());
        const auto password = context.job.test_password();
        if (!password) return fail(password.error());
        arguments["username"] = secret_text(is_oem ? "ubuntu" : *name);
        arguments["password"] = is_oem      ? secret_text(oem_password)
                                : *password ? secret_text((*password)->reveal())
                                            : secret_text("ubuntu");
        const auto key = read_regular_file(own_public_key(context.config), longest_key_file);
        if (!key) return fail(key.error().with_context("the agent has no ssh key that could be sent"));
        arguments["authorized_keys"] = SecretJson::array();
        arguments["authorized_keys"].push_back(secret_text(*key));
        return {};
    }

    static Result<OemImage> oem_image(const StageContext& context) {
        const auto password = context.job.test_password();
        if (!password) return fail(password.error());
        if (*password && (*password)->reveal().find('\n') != std::string_view::npos) {
            return fail("test_data.test_password: found a line break, expected one line");
        }
        const auto url = context.job.provision_text("url");
        if (!url) return fail(url.error());
        if (!*url) return OemImage{};
        if (auto done = check_argument_url(**url, "provision_data.url"); !done) return fail(done.error());
        const auto oem = context.job.provision_text("oem");
        if (!oem) return fail(oem.error());
        const auto name = oem->value_or("oemscript");
        if (name == "hp" || name == "lenovo") return OemImage{**url, OemRecoveryKind::ubuntu};
        if (name != "dell" && name != "oemscript") {
            context.log.warning("provision_data.oem: found " + trebuchet::quoted(name) +
                                ", expected hp, dell, lenovo or oemscript; using oemscript");
        }
        return OemImage{**url, OemRecoveryKind::dell};
    }

    static StageResult finish_oem(const OemImage& image, StageContext& context) {
        if (auto done = change_password(context); !done || *done != 0) return done;
        if (auto done = copy_key_patiently(context); !done || *done != 0) return done;
        return image.url.empty() ? StageResult(0) : provision_by_oem_script(image.kind, image.url, context);
    }

    /// The password goes through ssh's stdin: neither a command line nor the log has it.
    static StageResult change_password(StageContext& context) {
        const auto password = context.job.test_password();
        if (!password) return job_error(password.error().message());
        const std::string_view wanted = *password ? (*password)->reveal() : "ubuntu";
        WipedString line("ubuntu:");
        line += wanted;
        WipedString script("printf '%s\\n' ");
        auto quoted = shell_quote(line);
        script += quoted;
        wipe(quoted.data(), quoted.size());
        script += " | sudo chpasswd\n";
        const auto& config = context.config;
        Ssh ssh({config.device_ip, config.device_port, "ubuntu", "", SecretString(oem_password)}, context.commands);
        context.log.info("Changing the original password");
        const auto result = ssh.run_script(script);
        if (succeeded(result)) return 0;
        if (const auto* end = std::get_if<CommandInterrupted>(&result.end)) return exit_by_signal(end->signal);
        if (std::holds_alternative<CommandTimedOut>(result.end)) {
            return provisioning_error("Timed out configuring SSH on the DUT.");
        }
        return provisioning_error("Failed configuring SSH on the DUT. " + describe(result.end));
    }
};

}  // namespace

std::unique_ptr<Connector> make_control_host_kvm() {
    return std::make_unique<ControlHostKvm>();
}

}  // namespace trebuchet
