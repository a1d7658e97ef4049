#include "common/base/text.hpp"
#include "provision/connectors/connector.hpp"
#include "provision/connectors/device.hpp"
#include "provision/multi/child_attachments.hpp"
#include "provision/multi/child_list.hpp"
#include "provision/multi/child_server.hpp"
#include "provision/process/uninterrupted.hpp"
#include "provision/stages/reserve.hpp"
#include "provision/stages/runtest.hpp"

#include <filesystem>
#include <memory>
#include <ostream>
#include <system_error>

namespace trebuchet {
namespace {

using namespace std::chrono_literals;

constexpr auto between_looks = 10s;
constexpr auto default_allocation_timeout = 7200s;
/// Told to stop, we have the agent's kill_grace, 10 s, for all of it.
constexpr auto last_request_time = 3s;
constexpr const char* archive = "child-attachments.tar.gz";

std::string state_of(const nlohmann::json& result) {
    if (!result.is_object()) return {};
    const auto state = result.find("job_state");
    return state != result.end() && state->is_string() ? state->get<std::string>() : std::string();
}

bool has_ended(const std::string& state) {
    return state == "cancelled" || state == "completed" || state == "complete";
}

/// The jobs that a multi job is made of, from their creation until all have a device.
class Children {
  public:
    Children(ChildServer server, StageContext& context) : server_(std::move(server)), context_(&context) {}

    /// Cancels those that were created if that fails, or if we are told to stop.
    StageResult allocate() {
        auto result = create();
        if (result && *result == 0) result = wait();
        if (result && *result == 0) return write();
        cancel_all();
        return result;
    }

  private:
    StageResult create() {
        context_->log.info("Creating test jobs");
        std::size_t skipped = 0;
        const auto jobs = context_->job.child_jobs(skipped);
        if (!jobs) return provisioning_error(jobs.error().message());
        if (jobs->size() > most_children) {
            return provisioning_error("provision_data.jobs: found " + std::to_string(jobs->size()) +
                                      " jobs, expected at most " + std::to_string(most_children));
        }
        if (skipped > 0) {
            context_->log.error("Skipping " + std::to_string(skipped) +
                                " entries of provision_data.jobs: expected a job as names and values");
        }
        // Before anything is created, since a job that misses its attachments would wait for ever.
        for (const auto& job : *jobs) {
            if (job.attachments.empty()) continue;
            if (auto done = pack(job); !done) return done;
        }
        for (const auto& job : *jobs) {
            if (auto done = create(job); !done || *done != 0) return done;
        }
        return write();
    }

    StageResult pack(const JobFile::ChildJob& job) {
        if (auto done = pack_child_attachments(job, archive, context_->commands); !done) {
            return failure({"ProvisioningError", done.error().message(), std::nullopt, exit_failure});
        }
        return 0;
    }

    StageResult create(const JobFile::ChildJob& job) {
        auto id = server_.submit(job.text);
        if (!id) return failure(id.error());
        context_->log.info("Created job " + *id);
        children_.push_back({*id});
        // At once: whoever cleans up after us has to know it.
        if (auto done = write(); !done) return done;
        if (job.attachments.empty()) return 0;
        if (auto done = pack(job); !done) return done;
        auto sent = server_.send_attachments(*id, archive);
        std::error_code ignored;
        std::filesystem::remove(archive, ignored);
        if (!sent) return failure(sent.error());
        return 0;
    }

    StageResult failure(StageError error) const {
        if (const int signal = context_->interrupt.wait_for(0ms); signal != 0) return exit_by_signal(signal);
        return tl::unexpected(std::move(error));
    }

    StageResult wait() {
        const auto given = context_->job.allocation_timeout();
        if (!given) return job_error(given.error().message());
        const auto limit = given->value_or(default_allocation_timeout);
        const auto start = context_->clock.now();
        while (!are_all_allocated()) {
            if (const int signal = context_->interrupt.wait_for(between_looks); signal != 0)
                return exit_by_signal(signal);
            if (auto done = look(); !done || *done != 0) return done;
            if (!are_all_allocated() && context_->clock.now() - start >= limit) {
                return provisioning_error("Timed out waiting for devices to allocate");
            }
        }
        return 0;
    }

    bool are_all_allocated() const {
        for (const auto& child : children_) {
            if (!child.is_allocated) return false;
        }
        return true;
    }

    /// At all of them, those that have a device too: they may lose it while the others wait. A server that does not
    /// answer is waited for.
    StageResult look() {
        if (const auto& id = context_->job.id(); is_job_id(id) && has_ended(state_of(server_.result(id)))) {
            return provisioning_error("Job cancelled or completed");
        }
        for (auto& child : children_) {
            const auto result = server_.result(child.id);
            if (const int signal = context_->interrupt.wait_for(0ms); signal != 0) return exit_by_signal(signal);
            const auto state = state_of(result);
            if (has_ended(state)) {
                context_->log.error("Job " + child.id + " failed to allocate, cancelling remaining jobs");
                return provisioning_error("Unable to allocate all devices");
            }
            if (state != "allocated") continue;
            child.is_allocated = true;
            if (const auto info = result.find("device_info"); info != result.end()) child.device_info = *info;
        }
        return 0;
    }

    StageResult write() const {
        const auto done = write_child_list(children_);
        if (!done) return provisioning_error(done.error().message());
        return 0;
    }

    void cancel_all() {
        if (context_->interrupt.wait_for(0ms) == 0) {
            for (const auto& child : children_) server_.cancel(child.id);
            return;
        }
        UninterruptedRunner commands(context_->commands, last_request_time);
        auto server = ChildServer::of(*context_, commands);
        if (!server) return;
        for (const auto& child : children_) server->cancel(child.id);
    }

    ChildServer server_;
    StageContext* context_;
    std::vector<Child> children_;
};

/// A job of several devices: it submits a job for each, which holds its device until this one ends.
class Multi final : public Connector {
  public:
    [[nodiscard]] ConnectorKeys keys() const override {
        return {
            {{"testflinger_server", KeyKind::text, "", "the server's URL, http://… or https://…", true},
             {"client_id", KeyKind::text, "", "for a server that wants credentials of who submits jobs"},
             {"secret_key_file", KeyKind::text, "", "file that holds the client's secret key"}},
            {{"jobs", KeyKind::records, "", "the jobs to submit, one for each device", true}},
        };
    }
    [[nodiscard]] std::vector<std::string> problems(const ConnectorConfig& config) const override {
        std::vector<std::string> found;
        const auto url = config.scalars.find("testflinger_server");
        if (url != config.scalars.end() && !url->second.starts_with("http://") &&
            !url->second.starts_with("https://")) {
            found.push_back("testflinger_server: found " + trebuchet::quoted(url->second) +
                            ", expected http://… or https://…");
        }
        const auto is_set = [&](const char* key) {
            const auto value = config.scalars.find(key);
            return value != config.scalars.end() && !value->second.empty();
        };
        if (is_set("client_id") != is_set("secret_key_file")) {
            found.emplace_back("client_id and secret_key_file belong together: found only one of them");
        }
        return found;
    }

  protected:
    StageResult provision(StageContext& context) override {
        context.log.info("BEGIN provision");
        context.log.info("Provisioning device");
        auto server = ChildServer::of(context, context.commands);
        if (!server) return stage_error("ConfigError", server.error().message());
        cancel_leftovers(*server, context);
        auto result = Children(std::move(*server), context).allocate();
        context.log.info("END provision");
        return result;
    }

    StageResult runtest(StageContext& context) override {
        const auto children = read_child_list();
        if (!children) return stage_error("JobListError", children.error().message());
        if (!*children) context.log.error("Unable to find multi-job data file, job_list.json not found");
        auto config = context.config;
        int number = 0;
        for (const auto& child : children->value_or(std::vector<Child>())) {
            ++number;
            if (!child.device_info.is_object()) {
                return stage_error("JobListError", "the job " + child.id + " has no device_info in job_list.json");
            }
            if (const auto address = child.device_ip(); !address.empty()) {
                config.env.insert({"DEVICE_IP_" + std::to_string(number), address});
            }
        }
        StageContext with_addresses{config,        context.job,    context.log, context.commands, context.interrupt,
                                    context.clock, context.jitter, context.out, context.serial};
        return trebuchet::runtest(with_addresses);
    }

    StageResult reserve(StageContext& context) override {
        const auto children = read_child_list();
        if (children && *children) {
            int number = 0;
            for (const auto& child : **children) {
                ++number;
                const auto address = child.device_ip();
                if (address.empty()) continue;
                context.out << "DEVICE_IP_" << number << ": " << address << " (job " << child.id << ")\n";
            }
            context.out << std::flush;
        }
        return trebuchet::reserve(context);
    }

    StageResult cleanup(StageContext& context) override {
        auto server = ChildServer::of(context, context.commands);
        if (!server) return stage_error("ConfigError", server.error().message());
        const auto children = read_child_list();
        if (!children) {
            context.log.error("Cannot cancel the child jobs: " + children.error().message());
            return 0;
        }
        if (!*children) context.log.error("Unable to find multi-job data file, job_list.json not found");
        for (const auto& child : children->value_or(std::vector<Child>())) server->cancel(child.id);
        return 0;
    }

  private:
    /// Of a provision of this job that was killed.
    static void cancel_leftovers(ChildServer& server, StageContext& context) {
        const auto children = read_child_list();
        if (!children || !*children) return;
        context.log.warning("Cancelling the jobs that an earlier provision of this job left");
        for (const auto& child : **children) server.cancel(child.id);
    }
};

}  // namespace

std::unique_ptr<Connector> make_multi() {
    return std::make_unique<Multi>();
}

}  // namespace trebuchet
