#include "common/file/regular_file.hpp"
#include "common/file/safe_file.hpp"
#include "common/secret/base64.hpp"
#include "provision/connectors/connector.hpp"
#include "provision/connectors/control_host_service.hpp"
#include "provision/connectors/key_login.hpp"
#include "provision/connectors/oem_script.hpp"
#include "provision/image/image_source.hpp"
#include "provision/job/job_url.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <filesystem>
#include <memory>

namespace trebuchet {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t longest_file = std::size_t{4} * 1024 * 1024;
constexpr std::array<std::string_view, 4> iso_types{"bootstrap", "stock", "bios", "dummyefi"};

/// A file of the job, which the installation program wants under a fixed name.
struct OemFile {
    const char* job_key;
    const char* name;
    const char* config_key;  ///< file on the agent's host for jobs that name none; "": none
};
constexpr std::array<OemFile, 4> files{{{"user_data", "user-data", "default_user_data"},
                                        {"redeploy_cfg", "redeploy.cfg", "default_redeploy_cfg"},
                                        {"authorized_keys", "authorized_keys", ""},
                                        {"token_file", "url_token", ""}}};

constexpr KeyLogin oem_login{"insecure", PowerRule::never_recovery};

/// The program passes it on to a shell.
bool is_plain(const std::string& user) {
    return std::all_of(user.begin(), user.end(), [](char c) {
        return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '.' || c == '_' || c == '-';
    });
}

/// The configuration's; nullopt if it has none.
Result<std::optional<std::string>> default_of(const OemFile& file, const ConnectorConfig& config) {
    const auto own = config.scalars.find(file.config_key);
    if (own == config.scalars.end() || own->second.empty()) return std::optional<std::string>();
    auto text = read_regular_file(own->second, longest_file);
    if (!text) return fail(text.error().with_context(file.config_key));
    return std::optional(std::move(*text));
}

/// Its content; nullopt if neither job nor configuration has such a file.
Result<std::optional<std::string>> content_of(const OemFile& file, const StageContext& context) {
    auto name = context.job.provision_text(file.job_key);
    if (!name) return fail(name.error());
    if (*name) {
        // The reference takes "/ud.yaml" as a name among the attachments, too.
        const auto path = attachment_path((*name)->substr(std::min((*name)->find_first_not_of('/'), (*name)->size())));
        if (!path) return fail(path.error());
        auto text = read_untrusted(*path, longest_file);
        if (text) return std::optional(std::move(*text));
        return fail(std::filesystem::absolute(*path).string() +
                    " file was not found in attachments: " + text.error().message());
    }
    return default_of(file, context.config);
}

/// A computer that Ubuntu's installer reinstalls from a partition of its own. A control host can put an ISO image on it
/// before.
class OemAutoinstall final : public Connector {
  public:
    [[nodiscard]] ConnectorKeys keys() const override {
        auto config = oem_program_keys("deploy_script", "provision-image.sh", "deploy_script_timeout", "3600");
        for (const auto& spec : boot_keys("5400", "90", "90")) config.push_back(spec);
        for (const auto& spec : service_keys()) config.push_back(spec);
        config.push_back({"default_user_data", KeyKind::text, "", "file for jobs without user_data"});
        config.push_back({"default_redeploy_cfg", KeyKind::text, "", "file for jobs without redeploy_cfg"});
        return {config,
                {{"url", KeyKind::text, "", "ISO image, which the device downloads; nothing is done without an image"},
                 {"user_data", KeyKind::text, "", "autoinstall's user data, one of the attachments"},
                 {"redeploy_cfg", KeyKind::text, "", "GRUB configuration, one of the attachments"},
                 {"authorized_keys", KeyKind::text, "", "ssh keys, one of the attachments"},
                 {"token_file", KeyKind::text, "", "rclone configuration for the download, one of the attachments"},
                 {"control_host_iso_url", KeyKind::text, "", "ISO image that the control host installs first"},
                 {"control_host_iso_type",
                  KeyKind::choice,
                  "",
                  "its kind",
                  false,
                  false,
                  {iso_types.begin(), iso_types.end()}},
                 {"update_user_data", KeyKind::flag, "false", "the control host uses user_data and redeploy_cfg"}}};
    }
    [[nodiscard]] std::vector<std::string> problems(const ConnectorConfig& config) const override {
        return missing_device(config);
    }

  protected:
    StageResult provision(StageContext& context) override {
        const auto iso = context.job.provision_text("control_host_iso_url");
        if (!iso) return job_error(iso.error().message());
        const auto type = context.job.provision_text("control_host_iso_type");
        if (!type) return job_error(type.error().message());
        const auto url = context.job.provision_text("url");
        if (!url) return job_error(url.error().message());
        context.log.info("BEGIN provision via oem_autoinstall");
        StageResult result = 0;
        if (*iso || *type) result = install_iso(iso->value_or(""), type->value_or(""), context);
        if (result && *result == 0 && *url) result = deploy(**url, context);
        if (!*iso && !*type && !*url) {
            context.log.warning("provision_data names no image (url, control_host_iso_url): nothing is provisioned");
        }
        context.log.info("END provision via oem_autoinstall");
        return result;
    }

  private:
    static StageResult install_iso(const std::string& url, const std::string& type, StageContext& context) {
        if (url.empty()) {
            return provisioning_error(
                "An ISO URL (e.g. control_host_iso_url) is required in provision_data. Set the ISO image to be "
                "flashed to the DUT.");
        }
        if (type.empty()) {
            return provisioning_error(
                "An ISO type (e.g. control_host_iso_type) is required in provision_data. Based on the ISO type of the "
                "ISO URL.");
        }
        if (std::find(iso_types.begin(), iso_types.end(), type) == iso_types.end()) {
            return provisioning_error("Unsupported ISO type: " + type +
                                      ". Supported types: bootstrap, stock, bios, dummyefi");
        }
        ServiceRequest request{"ProvisioningOEM", SecretJson::object()};
        if (auto done = add_iso(url, type, request.arguments, context); !done) {
            return provisioning_error(done.error().message());
        }
        if (auto done = add_device_arguments(context.config, request.arguments); !done) {
            return stage_error("ConfigError", done.error().message());
        }
        return provision_by_service(request, context);
    }

    static Result<void> add_iso(const std::string& url, const std::string& type, SecretJson& arguments,
                                StageContext& context) {
        const auto& job = context.job;
        const auto update = job.provision_flag("update_user_data", false);
        if (!update) return fail(update.error());
        const auto name = job.test_username();
        if (!name) return fail(name.error());
        const auto password = job.test_password();
        if (!password) return fail(password.error());
        arguments["control_host_iso_url"] = secret_text(url);
        arguments["control_host_iso_type"] = secret_text(type);
        arguments["update_user_data"] = *update;
        arguments["username"] = secret_text(*name);
        arguments["password"] = secret_text(*password ? (*password)->reveal() : oem_login.fallback_password);
        for (const auto* field : {"meta_data_b64", "user_data_b64", "grub_cfg_b64"}) arguments[field] = nullptr;
        if (type != "stock") return {};
        arguments["meta_data_b64"] = secret_text("");
        const std::array<const char*, 2> fields{"user_data_b64", "grub_cfg_b64"};
        for (std::size_t i = 0; i < fields.size(); ++i) {
            // Without update_user_data, what the job has of them is for the installation after this one.
            const auto text = *update ? content_of(files.at(i), context) : default_of(files.at(i), context.config);
            if (!text) return fail(text.error());
            if (!*text) {
                return fail(std::string("control_host_iso_type stock needs ") +
                            (*update ? std::string(files.at(i).job_key) + " in provision_data, or " : std::string()) +
                            files.at(i).config_key + " in the configuration");
            }
            arguments[fields.at(i)] = secret_text(base64_encoded(**text));
        }
        return {};
    }

    static StageResult deploy(const std::string& url, StageContext& context) {
        if (auto done = check_argument_url(url, "provision_data.url"); !done) return job_error(done.error().message());
        const auto user = context.job.test_username();
        if (!user) return job_error(user.error().message());
        if (!is_plain(*user)) return job_error("test_data.test_username: expected letters, digits, . _ and -");
        BootWait usual;
        usual.initial_delay = 90s;
        usual.timeout = 5400s;
        usual.interval = 90s;
        usual.report_every = 300s;
        const auto wait = [&] { return wait_for_key_login(oem_login, usual, context); };
        bool was_reached = false;
        if (auto done = install_key_or_restart(oem_login, context, was_reached, wait); !done || *done != 0) return done;
        if (auto done = place_files(context); !done) return provisioning_error(done.error().message());
        context.log.info("Running deployment script");
        const auto folder = std::filesystem::absolute("attachments/provision").string();
        const OemProgram program{"deploy_script",
                                 "provision-image.sh",
                                 3600s,
                                 "Deploy script failed",
                                 {"--iso-dut", url, "-u", *user, "--local-config", folder, context.config.device_ip}};
        if (auto done = run_oem_program(program, context); !done || *done != 0) return done;
        return wait();
    }

    /// Puts them among the attachments, under the names that the program expects.
    static Result<void> place_files(StageContext& context) {
        const std::filesystem::path folder("attachments/provision");
        for (const auto& file : files) {
            const auto text = content_of(file, context);
            if (!text) return fail(text.error());
            if (!*text) continue;
            if (auto done = make_folder(folder); !done) return done;
            if (auto done = remove_tree(folder / file.name); !done) return done;
            if (auto done = write_file(folder / file.name, **text); !done) return done;
        }
        std::error_code ignored;
        if (!std::filesystem::exists(folder / "user-data", ignored)) {
            context.log.warning("The job has no user_data and the configuration no default_user_data");
        }
        return {};
    }
};

}  // namespace

std::unique_ptr<Connector> make_oem_autoinstall() {
    return std::make_unique<OemAutoinstall>();
}

}  // namespace trebuchet
