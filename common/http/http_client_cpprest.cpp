#include "common/http/body_buffers.hpp"
#include "common/http/http_client.hpp"
#include "common/http/proxy.hpp"
#include "common/http/tls_openssl.hpp"
#include "common/secret/large_blocks.hpp"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <condition_variable>
#include <cstdlib>
#include <istream>
#include <mutex>
#include <set>
#include <stdexcept>
#include <system_error>
#include <utility>

#include <cpprest/http_client.h>
#include <cpprest/interopstream.h>
#include <openssl/ssl.h>
#include <pplx/threadpool.h>

#include <boost/asio/ssl.hpp>

namespace trebuchet {
namespace {

namespace http = web::http;

/// cpprestsdk's default is 40 threads (measured). One is enough: it works asynchronously, except for DNS lookups, for
/// which Asio has another thread. A second thread cost a third more CPU time when idle.
constexpr std::size_t pool_threads = 1;

/// Bytes of an answer's headers, names and values.
constexpr std::size_t head_limit = 64U << 10U;

/// How long to wait for cancelled requests. They end at once, except during a DNS lookup.
constexpr std::chrono::milliseconds cancel_limit{300};

/// Posts to the loop until the client is destroyed. Pool threads may outlive client and loop.
class ReturnPath {
  public:
    explicit ReturnPath(EventLoop& loop) : loop_(&loop) {}
    void post(std::function<void()> handler) {
        const std::lock_guard lock(mutex_);
        if (loop_ != nullptr) loop_->post(std::move(handler));
    }
    void shut() {
        const std::lock_guard lock(mutex_);
        loop_ = nullptr;
    }
    [[nodiscard]] bool is_shut() {
        const std::lock_guard lock(mutex_);
        return loop_ == nullptr;
    }

    /// Marks the work of one call on the pool.
    void begin() {
        const std::lock_guard lock(mutex_);
        ++in_pool_;
    }
    void end() {
        const std::lock_guard lock(mutex_);
        --in_pool_;
        ended_.notify_all();
    }
    void wait_for_pool(std::chrono::milliseconds limit) {
        std::unique_lock lock(mutex_);
        ended_.wait_for(lock, limit, [this] { return in_pool_ == 0; });
    }

  private:
    std::mutex mutex_;
    std::condition_variable ended_;
    EventLoop* loop_;
    int in_pool_ = 0;
};

/// Extracts cookies, without attributes, from a Set-Cookie header in which cpprestsdk has merged several with ", ". As
/// dates also contain ", ", a cookie starts only where a name and "=" follow.
std::vector<std::string> cookies_of(std::string_view merged) {
    std::vector<std::string> cookies;
    while (!merged.empty()) {
        std::size_t end = merged.find(", ");
        while (end != std::string_view::npos) {
            const auto name_end = merged.find_first_of("=;, ", end + 2);
            if (name_end != std::string_view::npos && merged[name_end] == '=') break;
            end = merged.find(", ", end + 2);
        }
        const auto cookie = merged.substr(0, end);
        cookies.emplace_back(cookie.substr(0, cookie.find(';')));
        merged = end == std::string_view::npos ? std::string_view() : merged.substr(end + 2);
    }
    return cookies;
}

HttpFailure::Kind classify(const http::http_exception& error) {
    const std::string what = error.what();
    if (what.find("SSL handshake") != std::string::npos) return HttpFailure::Kind::tls;
    switch (error.error_code().value()) {
        case ECONNREFUSED:
        case EHOSTUNREACH:
        case ENETUNREACH:
            return HttpFailure::Kind::unreachable;
        case ETIMEDOUT:
            return HttpFailure::Kind::timed_out;
        default:
            break;
    }
    const bool connecting = what.find("resolv") != std::string::npos || what.find("connect to") != std::string::npos;
    return connecting ? HttpFailure::Kind::unreachable : HttpFailure::Kind::broken;
}

class CpprestClient;

/// Limits what cpprestsdk reads into memory. It reads an answer's head, or one chunk, into a buffer that grows as long
/// as the server sends. We can't bound that buffer, but operator new tells us about a large block. We can't tell which
/// request it belongs to, so if no running request expects an answer of that size, all of them fail.
class GrowthWatch {
  public:
    static GrowthWatch& instance() {
        static auto* const watch = new GrowthWatch;  // never destroyed: pool threads may outlive static objects
        return *watch;
    }
    void add(CpprestClient& client) {
        const std::lock_guard lock(mutex_);
        clients_.insert(&client);
    }
    /// Adds or removes the size of an expected answer, which may arrive in one chunk.
    void expect(std::size_t bytes) {
        const std::lock_guard lock(mutex_);
        expected_.insert(bytes);
        allow_for_longest();
    }
    void expect_no_more(std::size_t bytes) {
        const std::lock_guard lock(mutex_);
        expected_.erase(expected_.find(bytes));
        allow_for_longest();
    }
    void remove(CpprestClient& client) {
        const std::lock_guard lock(mutex_);
        clients_.erase(&client);
    }
    /// Starts watching the calling thread.
    static void begin() {
        large_block_note() = [](std::size_t size) noexcept {
            if (size >= instance().allowed_) instance().on_growth();
        };
    }

  private:
    void on_growth() noexcept;
    /// A buffer doubles when it grows.
    void allow_for_longest() {
        allowed_ = expected_.empty() ? large_block : std::max(large_block, *expected_.rbegin() * 2 + large_block);
    }

    std::atomic<std::size_t> allowed_{large_block};
    std::mutex mutex_;
    std::multiset<std::size_t> expected_;
    std::set<CpprestClient*> clients_;
};

class CpprestClient final : public HttpClient {
  public:
    CpprestClient(EventLoop& loop, HttpOptions options, std::shared_ptr<TlsSettings> tls)
        : loop_(loop),
          options_(std::move(options)),
          return_path_(std::make_shared<ReturnPath>(loop)),
          tls_(std::move(tls)) {
        client_ = new_client();
        GrowthWatch::instance().add(*this);
    }
    ~CpprestClient() override {
        GrowthWatch::instance().remove(*this);
        return_path_->shut();
        for (const auto& call : under_way_) {
            call->done = nullptr;    // its result may already be in the loop's queue
            call->deadline.reset();  // here and not on a pool thread
            call->body.close();
            call->cancel.cancel();
        }
        return_path_->wait_for_pool(cancel_limit);
    }

    void drop_connections() override { client_ = new_client(); }

    void send(HttpRequest request, std::function<void(HttpResult)> done) override {
        auto call = std::make_shared<Call>(*this, std::move(request), std::move(done));
        under_way_.insert(call);
        call->start();
    }

    /// Thread-safe.
    void give_up_later() {
        return_path_->post([this, path = return_path_] {
            if (!path->is_shut()) give_up();
        });
    }

  private:
    using Client = http::client::http_client;

    void give_up() {
        const auto path = return_path_;
        for (const auto& call : std::set(under_way_)) {
            if (path->is_shut()) return;  // a call's `done` destroyed the client
            call->cancel.cancel();
            call->settle(tl::unexpected(
                call->failure(HttpFailure::Kind::protocol,
                              "an answer of the server has a head or a chunk that is longer than accepted")));
        }
    }

    /// One running request. `settle` and `done` run on the loop's thread.
    struct Call : std::enable_shared_from_this<Call> {
        Call(CpprestClient& owner_client, HttpRequest what, std::function<void(HttpResult)> callback)
            : owner(owner_client),
              client(what.fresh_connection ? owner_client.new_client() : owner_client.client_),
              return_path(owner_client.return_path_),
              tls(owner_client.tls_),
              request(std::move(what)),
              done(std::move(callback)),
              body(request),
              body_stream(&body),
              deadline(std::make_unique<Timer>(owner_client.loop_)) {
            GrowthWatch::instance().expect(in_memory());
        }
        ~Call() { GrowthWatch::instance().expect_no_more(in_memory()); }
        Call(const Call&) = delete;
        Call& operator=(const Call&) = delete;

        /// Bytes of the answer that are kept in memory.
        [[nodiscard]] std::size_t in_memory() const {
            return request.answer_file || request.cut_response ? 0 : request.response_limit;
        }

        void start() {
            deadline->start(request.timeout, [self = shared_from_this()] {
                self->cancel.cancel();
                self->settle(tl::unexpected(
                    self->failure(HttpFailure::Kind::timed_out,
                                  "no answer within " + std::to_string(self->request.timeout.count()) + " ms")));
            });
            auto message = compose();
            if (!message) {
                return_path->post([self = shared_from_this(), reason = message.error().message()] {
                    self->settle(tl::unexpected(self->failure(HttpFailure::Kind::unreachable, reason)));
                });
                return;
            }
            return_path->begin();
            exchange(*message);
        }

        /// Runs on the loop's thread or on a pool thread.
        void exchange(const http::http_request& message) {
            client->request(message, cancel.get_token())
                .then([self = shared_from_this()](const http::http_response& response) {
                    self->status = response.status_code();
                    self->check_head(response.headers());
                    if (const auto cookie = response.headers().find("Set-Cookie"); cookie != response.headers().end()) {
                        self->cookies = cookies_of(cookie->second);
                    }
                    if (const auto found = response.headers().find("Date"); found != response.headers().end()) {
                        self->date = found->second;
                    }
                    return response.content_ready();
                })
                .then([self = shared_from_this()](const pplx::task<http::http_response>& task) {
                    if (self->fetch_after_interim(task)) return;
                    auto result = std::make_shared<HttpResult>(self->outcome(task));
                    self->return_path->post([self, result] { self->settle(std::move(*result)); });
                    self->return_path->end();
                });
        }

        /// See HttpRequest::after_interim.
        bool fetch_after_interim(const pplx::task<http::http_response>& task) try {
            if (request.after_interim.empty() || !request.fresh_connection || status < 100 || status > 199)
                return false;
            static_cast<void>(task.get());
            status = 0;
            const auto next = std::exchange(request.after_interim, {});
            asked_again = true;
            http::http_request message(http::methods::GET);
            message.set_request_uri(web::uri(next));
            add_headers(message);
            receive_into(message);
            exchange(message);
            return true;
        } catch (const std::exception&) {
            return false;  // `outcome` reports the error
        }

        Result<http::http_request> compose() try {
            if (auto opened = body.open(); !opened) return fail(opened.error());
            http::http_request message(request.method == HttpRequest::Method::get ? http::methods::GET
                                                                                  : http::methods::POST);
            message.set_request_uri(web::uri(request.target));
            add_headers(message);
            if (request.file) {
                upload = std::make_unique<FileBodyBuffer>(*request.file);
                if (!upload->ready()) return fail("can't read " + request.file->file.string());
                upload_stream = std::make_unique<std::istream>(upload.get());
                message.set_body(concurrency::streams::stdio_istream<std::uint8_t>(*upload_stream), upload->length(),
                                 request.content_type);
            } else if (request.method == HttpRequest::Method::post) {
                message.set_body(std::string(request.body), request.content_type);
            }
            receive_into(message);
            return message;
        } catch (const std::exception& error) {
            return fail(error.what());
        }

        void add_headers(http::http_request& message) const {
            if (!user_agent.empty()) message.headers().add("User-Agent", user_agent);
            for (const auto& [name, value] : request.headers) message.headers().add(name, std::string(value));
        }

        void receive_into(http::http_request& message) {
            message.set_response_stream(concurrency::streams::stdio_ostream<std::uint8_t>(body_stream));
            message.set_progress_handler(
                [self = shared_from_this()](http::message_direction::direction, std::uint64_t) { self->body.check(); });
        }

        /// Throws if the headers are too long.
        static void check_head(const http::http_headers& headers) {
            std::size_t size = 0;
            for (const auto& [name, value] : headers) size += name.size() + value.size();
            if (size > head_limit) {
                throw std::length_error("the answer's headers have " + std::to_string(size) + " bytes, at most " +
                                        std::to_string(head_limit) + " are accepted");
            }
        }

        /// Runs on a pool thread.
        HttpResult outcome(const pplx::task<http::http_response>& task) {
            try {
                static_cast<void>(task.get());
                if (body.overflowed() || !body.file_problem().empty()) return cut_or_refused();
                if (status < 200) {
                    return tl::unexpected(
                        failure(HttpFailure::Kind::protocol,
                                "the server answered " + std::to_string(status) + ", expected a final status"));
                }
                return answer();
            } catch (const http::http_exception& error) {
                if (body.overflowed()) return cut_or_refused();
                const auto reason = tls->take_failure();
                return tl::unexpected(failure(classify(error), error.what() + (reason.empty() ? "" : ": " + reason)));
            } catch (const std::length_error& error) {
                if (body.overflowed() || !body.file_problem().empty()) return cut_or_refused();
                return tl::unexpected(failure(HttpFailure::Kind::protocol, error.what()));
            } catch (const std::exception& error) {
                if (body.overflowed()) return cut_or_refused();
                return tl::unexpected(failure(HttpFailure::Kind::broken, error.what()));
            }
        }

        [[nodiscard]] HttpResponse answer() {
            return {status, cookies, body.take(status >= 200 && status < 300), body.overflowed(), date, asked_again};
        }

        [[nodiscard]] HttpResult cut_or_refused() {
            if (auto problem = body.file_problem(); !problem.empty()) {
                return tl::unexpected(failure(HttpFailure::Kind::broken, problem));
            }
            const bool is_success = status >= 200 && status < 300;
            if (request.answer_file ? !is_success : request.cut_response || request.on_overflow) return answer();
            return tl::unexpected(failure(HttpFailure::Kind::protocol, "the answer is longer than the " +
                                                                           std::to_string(request.response_limit) +
                                                                           " bytes that are accepted"));
        }

        [[nodiscard]] HttpFailure failure(HttpFailure::Kind kind, const std::string& reason) const {
            const auto method = request.method == HttpRequest::Method::get ? "GET " : "POST ";
            return {kind, method + origin + request.target.substr(0, request.target.find('?')) + ": " + reason};
        }

        void settle(HttpResult result) {
            if (!done) return;
            deadline.reset();
            body.close();
            owner.under_way_.erase(shared_from_this());
            // A connection in an unknown state must not serve the next request.
            if (!result && owner.client_ == client) owner.drop_connections();
            const auto callback = std::exchange(done, nullptr);
            callback(std::move(result));
        }

        CpprestClient& owner;  ///< valid on the loop's thread, because `settle` runs through the return path
        std::shared_ptr<Client> client;
        std::shared_ptr<ReturnPath> return_path;
        std::shared_ptr<TlsSettings> tls;
        HttpRequest request;
        std::string origin = owner.options_.origin;
        std::string user_agent = owner.options_.user_agent;
        std::function<void(HttpResult)> done;
        std::unique_ptr<FileBodyBuffer> upload;
        std::unique_ptr<std::istream> upload_stream;
        int status = 0;
        std::vector<std::string> cookies;
        std::string date;
        bool asked_again = false;  ///< after an interim answer
        AnswerBuffer body;
        std::ostream body_stream;
        pplx::cancellation_token_source cancel;
        std::unique_ptr<Timer> deadline;
    };

    std::shared_ptr<Client> new_client() {
        http::client::http_client_config config;
        config.set_timeout(std::chrono::seconds(60));
        config.set_max_redirects(0);
        config.set_ssl_context_callback(
            [tls = tls_](boost::asio::ssl::context& context) { tls->apply(context.native_handle()); });
        const web::uri address(options_.origin);
        if (const auto proxy =
                proxy_for(address.scheme(), address.host(), [](const char* name) { return std::getenv(name); });
            !proxy.empty()) {
            config.set_proxy(web::web_proxy(web::uri(proxy)));
        }
        return std::make_shared<Client>(address, config);
    }

    EventLoop& loop_;
    HttpOptions options_;
    std::shared_ptr<ReturnPath> return_path_;
    std::shared_ptr<TlsSettings> tls_;
    std::shared_ptr<Client> client_;
    std::set<std::shared_ptr<Call>> under_way_;
};

void GrowthWatch::on_growth() noexcept {
    const std::lock_guard lock(mutex_);
    for (auto* const client : clients_) client->give_up_later();
}

void start_pool() {
    OPENSSL_init_ssl(0, nullptr);  // first, so that at exit the pool threads end before OpenSSL cleans up
    crossplat::threadpool::initialize_with_threads(pool_threads);
    static_assert(
        pool_threads == 1,
        "with more threads, each must begin its watch, and none may wait for another, which may never run at exit");
    crossplat::threadpool::shared_instance().service().post([] { GrowthWatch::begin(); });
}

}  // namespace

Result<std::unique_ptr<HttpClient>> HttpClient::make(EventLoop& loop, HttpOptions options) {
    static std::once_flag pool_ready;
    std::call_once(pool_ready, start_pool);
    try {
        if (web::uri(options.origin).host().starts_with('[')) {
            return fail("the server's address " + options.origin +
                        " is an IPv6 literal, which the HTTP library can't resolve: use a host name");
        }
        auto tls = TlsSettings::make(options, web::uri(options.origin).host());
        if (!tls) return fail(tls.error());
        return std::make_unique<CpprestClient>(loop, std::move(options), std::move(*tls));
    } catch (const std::exception& error) {
        return fail("the server's address " + options.origin + " can't be used: " + error.what());
    }
}

}  // namespace trebuchet
