#include "provision/connectors/connector.hpp"
#include "provision/connectors/control_host_service.hpp"
#include "provision/connectors/key_login.hpp"
#include "provision/job/job_url.hpp"

#include <memory>

namespace trebuchet {
namespace {

struct Login {
    SecretJson user;
    SecretJson password;
};

/// A board that the service of its control host provisions, with a preset or a plan of the job.
class ControlHostIot final : public Connector {
  public:
    [[nodiscard]] ConnectorKeys keys() const override {
        return {service_keys(),
                {{"url", KeyKind::text, "", "image for the device"},
                 {"urls", KeyKind::value, "", "images for the device, instead of url"},
                 {"preset", KeyKind::text, "", "name of a way to provision that the service knows"},
                 {"preset_kwargs", KeyKind::map, "", "values for the preset"},
                 {"provision_plan", KeyKind::map, "", "the steps of a provision, with `config` and `run_stage`"},
                 {"ubuntu_sso_email", KeyKind::text, "", "account for a login by console-conf; no key is copied then"},
                 {"agent_ssh_access", KeyKind::flag, "true", "copy the agent's ssh key to the device afterwards"},
                 silence_key()}};
    }
    [[nodiscard]] std::vector<std::string> problems(const ConnectorConfig& config) const override {
        return missing_for_service(config);
    }

  protected:
    [[nodiscard]] ControlHostNeeds control_host_needs() const override { return {true, {}}; }
    StageResult provision(StageContext& context) override {
        context.log.info("BEGIN provision");
        ServiceRequest request{"ProvisioningIoT", SecretJson::object(), provision_attachment()};
        bool copies_key = true;
        if (auto done = add_arguments(request, copies_key, context); !done) {
            return provisioning_error(done.error().message());
        }
        if (auto done = add_device_arguments(context.config, request.arguments); !done) {
            return stage_error("ConfigError", done.error().message());
        }
        auto result = provision_by_service(request, context);
        if (result && *result == 0 && copies_key) result = copy_key_patiently(context);
        context.log.info("END provision");
        return result;
    }

  private:
    static Result<void> add_arguments(ServiceRequest& request, bool& copies_key, StageContext& context) {
        const auto& job = context.job;
        auto& arguments = request.arguments;
        const auto plan = job.provision_value("provision_plan");
        if (!plan) return fail(plan.error());
        if (*plan != nullptr) {
            if (auto done = check_plan(**plan); !done) return done;
            arguments["custom_provision_plan"] = **plan;
        }
        auto login = login_of(*plan, context);
        if (!login) return fail(login.error());
        if (auto done = use_account(*login, arguments, copies_key, job); !done) return done;
        arguments["username"] = login->user;
        arguments["password"] = login->password;
        if (*plan != nullptr) {
            arguments["custom_provision_plan"]["config"]["username"] = login->user;
            arguments["custom_provision_plan"]["config"]["password"] = login->password;
        }
        for (const auto* name : {"preset", "preset_kwargs"}) {
            const auto value = job.provision_value(name);
            if (!value) return fail(value.error());
            arguments[name] = *value == nullptr ? SecretJson(nullptr) : **value;
        }
        if (auto done = add_urls(arguments, job); !done) return done;
        const auto wants_key = job.provision_flag("agent_ssh_access", true);
        if (!wants_key) return fail(wants_key.error());
        copies_key = copies_key && *wants_key;
        return read_silence(request, job);
    }

    static Result<void> check_plan(const SecretJson& plan) {
        const auto is = [&](const char* name, bool (SecretJson::*kind)() const noexcept) {
            return plan.is_object() && plan.contains(name) && (plan.at(name).*kind)();
        };
        if (!is("config", &SecretJson::is_object)) {
            return fail("provision_data.provision_plan: config is missing: expected an object");
        }
        if (!is("run_stage", &SecretJson::is_array)) {
            return fail("provision_data.provision_plan: run_stage is missing: expected a list of steps");
        }
        return {};
    }

    /// Of test_data, else of the plan, else ubuntu.
    static Result<Login> login_of(const SecretJson* plan, StageContext& context) {
        const auto& job = context.job;
        const auto of_plan = [&](const char* name) -> SecretJson {
            if (plan != nullptr && plan->at("config").contains(name)) return plan->at("config").at(name);
            return secret_text("ubuntu");
        };
        const auto name = job.test_username();
        if (!name) return fail(name.error());
        const auto password = job.test_password();
        if (!password) return fail(password.error());
        Login login{job.has_test_username() ? secret_text(*name) : of_plan("username"),
                    *password ? secret_text((*password)->reveal()) : of_plan("password")};
        if (login.user != secret_text(*name)) {
            context.log.warning("Provisioning uses another username than the test phase, which may then not get in");
        }
        return login;
    }

    /// A login by console-conf is one of an Ubuntu account.
    static Result<void> use_account(Login& login, const SecretJson& arguments, bool& copies_key, const JobFile& job) {
        const auto account = job.provision_text("ubuntu_sso_email");
        if (!account) return fail(account.error());
        if (*account) {
            login.user = secret_text(**account);
            copies_key = false;
            return {};
        }
        if (!arguments.contains("custom_provision_plan")) return {};
        for (const auto& step : arguments.at("custom_provision_plan").at("run_stage")) {
            if (!step.is_object() || !step.contains("initial_login")) continue;
            const auto& first = step.at("initial_login");
            if (first.is_object() && first.contains("method") && first.at("method") == secret_text("console-conf")) {
                return fail("provision_data.ubuntu_sso_email is missing: a login by console-conf needs the account");
            }
        }
        return {};
    }

    static Result<void> add_urls(SecretJson& arguments, const JobFile& job) {
        auto urls = SecretJson::array();
        const auto one = job.provision_value("url");
        if (!one) return fail(one.error());
        const auto many = job.provision_value("urls");
        if (!many) return fail(many.error());
        if (*one != nullptr) urls.push_back(**one);
        if (*one == nullptr && *many != nullptr) urls = **many;
        if (!urls.is_array()) return fail("provision_data.urls: expected a list of URLs");
        for (const auto& url : urls) {
            if (!url.is_string()) return fail("provision_data: found a URL that is not text");
            if (auto done = check_public_url(url.get_ref<const WipedString&>(), "provision_data.url"); !done)
                return done;
        }
        arguments["urls"] = std::move(urls);
        return {};
    }
};

}  // namespace

std::unique_ptr<Connector> make_control_host_iot() {
    return std::make_unique<ControlHostIot>();
}

}  // namespace trebuchet
