#include "common/event/beside.hpp"

#include <exception>
#include <thread>

namespace trebuchet {

void run_beside(EventLoop& loop, const std::function<void()>& work) {
    bool done = false;
    std::exception_ptr thrown;
    std::thread thread([&] {
        try {
            work();
        } catch (...) {
            thrown = std::current_exception();
        }
        loop.post([&] { done = true; });
    });
    loop.run_until([&] { return done; });
    thread.join();
    if (thrown) std::rethrow_exception(thrown);
}

}  // namespace trebuchet
