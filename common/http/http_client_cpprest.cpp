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
#include <deque>
#include <istream>
#include <mutex>
#include <set>
#include <stdexcept>
#include <system_error>
#include <utility>

#include <cpprest/http_client.h>
#include <cpprest/interopstream.h>
#include <openssl/ssl.h>
#include <poll.h>
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

/// Idle connections to keep: a job needs two at the same time, for its log and for the rest.
constexpr std::size_t most_idle = 4;

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

/// Whether the request was sent completely cannot be seen from the error code: the kernel reports ICMP errors such as
/// EHOSTUNREACH on established connections, too. cpprestsdk's text says what it was doing.
HttpFailure::Kind classify(const http::http_exception& error, int times_sent) {
    using Kind = HttpFailure::Kind;
    const std::string what = error.what();
    const auto has = [&](const char* words) { return what.find(words) != std::string::npos; };
    const auto kind = error.error_code().value() == ETIMEDOUT ? Kind::timed_out : Kind::broken;
    if (times_sent > 1) return kind;  // what failed is the second send, and the first may have arrived
    if (has("SSL handshake")) return Kind::tls;
    return has("resolv") || has("connect to") || has("proxy") ? Kind::unreachable : kind;
}

/// cpprestsdk asks it before each send of a request, also before a send that it repeats by itself. Thread-safe.
class SendGate {
  public:
    /// The kept-alive connection is closed, or its state is unknown: the request was not sent.
    struct Stale : std::runtime_error {
        Stale() : std::runtime_error("the connection was closed") {}
    };
    struct SentAlready : std::runtime_error {
        SentAlready() : std::runtime_error("the server closed the connection without an answer") {}
    };

    /// What cpprestsdk hands to pass().
    enum class Handle {
        socket,
        tls_stream,
        unknown,  ///< one or the other: TLS through a proxy
    };

    explicit SendGate(Handle handle) : handle_(handle) {}

    void expect(bool once) {
        once_ = once;
        sends_ = 0;
    }
    void pass(void* handle) {
        if (once_ && sends_ > 0) throw SentAlready();
        if (is_stale(handle)) throw Stale();
        ++sends_;
    }
    [[nodiscard]] int sends() const { return sends_; }

  private:
    using TlsStream = boost::asio::ssl::stream<boost::asio::ip::tcp::socket&>;

    [[nodiscard]] bool is_stale(void* handle) const {
        switch (handle_) {
            case Handle::socket:
                // Bytes that nobody asked for are the rest of a former answer.
                return has_events(*static_cast<boost::asio::ip::tcp::socket*>(handle), POLLRDHUP | POLLIN);
            case Handle::tls_stream:
                // Bytes may be a session ticket.
                return has_events(static_cast<TlsStream*>(handle)->next_layer(), POLLRDHUP);
            case Handle::unknown:
                break;
        }
        return false;
    }
    static bool has_events(boost::asio::ip::tcp::socket& socket, int events) {
        if (!socket.is_open()) return false;  // a new connection
        pollfd asked{socket.native_handle(), static_cast<short>(events), 0};
        return ::poll(&asked, 1, 0) != 0;  // also for POLLHUP and POLLERR
    }

    const Handle handle_;
    std::atomic<bool> once_{false};
    std::atomic<int> sends_{0};
};

class CpprestClient;

/// Limits what cpprestsdk reads into memory. It reads an answer's head, or one chunk, into a buffer that grows as long
/// as the server sends. We cannot bound that buffer, but operator new tells us about a large block. We cannot tell
/// which request it belongs to, so if no running request expects an answer of that size, all of them fail.
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

    void drop_connections() override {
        idle_.clear();
        ++generation_;
    }

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
    /// Runs one request at a time, and so has at most one connection.
    struct Channel {
        std::unique_ptr<http::client::http_client> client;
        std::shared_ptr<SendGate> gate;
        int generation = 0;
        std::chrono::steady_clock::time_point idle_since{};
    };

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
              channel(owner_client.channel_for(what)),
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
            if (auto opened = body.open(); !opened) return fail_later(opened.error().message());
            send();
        }

        void send() {
            auto message = compose();
            if (!message) return fail_later(message.error().message());
            channel->gate->expect(request.once);
            return_path->begin();
            exchange(*message);
        }

        void fail_later(const std::string& reason) {
            return_path->post([self = shared_from_this(), reason] {
                self->settle(tl::unexpected(self->failure(HttpFailure::Kind::unreachable, reason)));
            });
        }

        /// The connection was closed while it was idle: nothing was sent.
        void send_on_new_connection() {
            if (!done) return;
            request.fresh_connection = true;
            channel = owner.channel_for(request);
            send();
        }

        /// Runs on the loop's thread or on a pool thread.
        void exchange(const http::http_request& message) {
            channel->client->request(message, cancel.get_token())
                .then([self = shared_from_this()](const http::http_response& response) {
                    self->status = response.status_code();
                    self->check_head(response.headers());
                    if (const auto cookie = response.headers().find("Set-Cookie"); cookie != response.headers().end()) {
                        self->cookies = cookies_of(cookie->second);
                    }
                    if (const auto found = response.headers().find("Date"); found != response.headers().end()) {
                        self->date = found->second;
                    }
                    if (const auto found = response.headers().find("Location"); found != response.headers().end()) {
                        self->location = found->second;
                    }
                    return response.content_ready();
                })
                .then([self = shared_from_this()](const pplx::task<http::http_response>& task) {
                    if (self->fetch_after_interim(task)) return;
                    if (self->found_stale(task)) {
                        self->return_path->post([self] { self->send_on_new_connection(); });
                    } else {
                        auto result = std::make_shared<HttpResult>(self->outcome(task));
                        self->return_path->post([self, result] { self->settle(std::move(*result)); });
                    }
                    self->return_path->end();
                });
        }

        [[nodiscard]] bool found_stale(const pplx::task<http::http_response>& task) const try {
            if (asked_again || request.fresh_connection) return false;
            static_cast<void>(task.get());
            return false;
        } catch (const SendGate::Stale&) {
            return true;
        } catch (const std::exception&) {
            return false;  // `outcome` reports the error
        }

        /// See HttpRequest::after_interim.
        bool fetch_after_interim(const pplx::task<http::http_response>& task) try {
            if (request.after_interim.empty() || status < 100 || status > 199) return false;
            static_cast<void>(task.get());
            status = 0;
            const auto next = std::exchange(request.after_interim, {});
            asked_again = true;
            http::http_request message(http::methods::GET);
            message.set_request_uri(web::uri(next));
            add_headers(message);
            receive_into(message);
            channel->gate->expect(true);
            exchange(message);
            return true;
        } catch (const std::exception&) {
            return false;  // `outcome` reports the error
        }

        Result<http::http_request> compose() try {
            http::http_request message(request.method == HttpRequest::Method::get ? http::methods::GET
                                                                                  : http::methods::POST);
            message.set_request_uri(web::uri(request.target));
            add_headers(message);
            if (request.file) {
                upload = std::make_unique<FileBodyBuffer>(*request.file);
                if (!upload->ready()) return fail("cannot read " + request.file->file.string());
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
            // cpprestsdk checks the certificate against this name, if it is given, and sends it to the server.
            if (!server_name.empty()) message.headers().add("Host", server_name);
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
                return tl::unexpected(failure(classify(error, channel->gate->sends()),
                                              error.what() + (reason.empty() ? "" : ": " + reason)));
            } catch (const std::length_error& error) {
                if (body.overflowed() || !body.file_problem().empty()) return cut_or_refused();
                return tl::unexpected(failure(HttpFailure::Kind::protocol, error.what()));
            } catch (const std::exception& error) {
                if (body.overflowed()) return cut_or_refused();
                return tl::unexpected(failure(HttpFailure::Kind::broken, error.what()));
            }
        }

        [[nodiscard]] HttpResponse answer() {
            return {status,      cookies, body.take(status >= 200 && status < 300), body.overflowed(), date,
                    asked_again, location};
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
            // A connection in an unknown state, or with an answer to come, must not serve the next request.
            if (result && !asked_again) owner.keep(std::move(channel));
            const auto callback = std::exchange(done, nullptr);
            callback(std::move(result));
        }

        CpprestClient& owner;  ///< valid on the loop's thread, because `settle` runs through the return path
        std::shared_ptr<Channel> channel;
        std::shared_ptr<ReturnPath> return_path;
        std::shared_ptr<TlsSettings> tls;
        HttpRequest request;
        std::string origin = owner.options_.origin;
        std::string user_agent = owner.options_.user_agent;
        std::string server_name = owner.options_.server_name;
        std::function<void(HttpResult)> done;
        std::unique_ptr<FileBodyBuffer> upload;
        std::unique_ptr<std::istream> upload_stream;
        int status = 0;
        std::vector<std::string> cookies;
        std::string date;
        std::string location;
        bool asked_again = false;  ///< after an interim answer
        AnswerBuffer body;
        std::ostream body_stream;
        pplx::cancellation_token_source cancel;
        std::unique_ptr<Timer> deadline;
    };

    /// On the loop's thread.
    std::shared_ptr<Channel> channel_for(const HttpRequest& request) {
        if (request.fresh_connection || idle_.empty()) return new_channel();
        const auto idle_for = std::chrono::steady_clock::now() - idle_.back()->idle_since;
        if (request.once && idle_for > options_.once_idle_limit) return new_channel();
        auto last = std::move(idle_.back());
        idle_.pop_back();
        return last;
    }

    /// For the next request.
    void keep(std::shared_ptr<Channel> channel) {
        if (channel->generation != generation_) return;
        channel->idle_since = std::chrono::steady_clock::now();
        idle_.push_back(std::move(channel));
        if (idle_.size() > most_idle) idle_.pop_front();
    }

    std::shared_ptr<Channel> new_channel() {
        http::client::http_client_config config;
        config.set_timeout(std::chrono::seconds(60));
        config.set_max_redirects(0);
        config.set_ssl_context_callback(
            [tls = tls_](boost::asio::ssl::context& context) { tls->apply(context.native_handle()); });
        const web::uri address(options_.origin);
        const bool is_tls = address.scheme() == "https";
        auto handle = is_tls ? SendGate::Handle::tls_stream : SendGate::Handle::socket;
        if (const auto proxy =
                proxy_for(address.scheme(), address.host(), [](const char* name) { return std::getenv(name); });
            !proxy.empty()) {
            config.set_proxy(web::web_proxy(web::uri(proxy)));
            if (is_tls) handle = SendGate::Handle::unknown;
        }
        auto gate = std::make_shared<SendGate>(handle);
        config.set_nativehandle_options([gate](http::client::native_handle connection) { gate->pass(connection); });
        return std::make_shared<Channel>(
            Channel{std::make_unique<http::client::http_client>(address, config), gate, generation_});
    }

    EventLoop& loop_;
    HttpOptions options_;
    std::shared_ptr<ReturnPath> return_path_;
    std::shared_ptr<TlsSettings> tls_;
    std::deque<std::shared_ptr<Channel>> idle_;  ///< the one that was used last at the end
    int generation_ = 0;                         ///< of the connections that may be kept
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
                        " is an IPv6 literal, which the HTTP library cannot resolve: use a host name");
        }
        const auto name = options.server_name.empty() ? web::uri(options.origin).host() : options.server_name;
        auto tls = TlsSettings::make(options, name);
        if (!tls) return fail(tls.error());
        return std::make_unique<CpprestClient>(loop, std::move(options), std::move(*tls));
    } catch (const std::exception& error) {
        return fail("the server's address " + options.origin + " cannot be used: " + error.what());
    }
}

}  // namespace trebuchet
