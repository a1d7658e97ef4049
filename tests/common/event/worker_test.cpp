#include "common/event/worker.hpp"

#include <future>
#include <string>
#include <thread>

#include <gtest/gtest.h>

namespace trebuchet {
namespace {

TEST(Worker, RunsTasksInOrderOnItsThreadAndReportsOnTheLoop) {
    EventLoop loop;
    Worker worker(loop);
    std::string order;
    std::string told;
    std::thread::id where;
    for (const char piece : {'a', 'b', 'c'}) {
        worker.run(
            [&, piece] {
                order += piece;
                where = std::this_thread::get_id();
            },
            [&, piece] { told += piece; });
    }
    loop.run_until([&] { return told.size() == 3; });
    EXPECT_EQ(order, "abc");
    EXPECT_EQ(told, "abc");
    EXPECT_NE(where, std::this_thread::get_id());
}

TEST(Worker, ReportsNothingAfterItsDestruction) {
    EventLoop loop;
    bool told = false;
    {
        Worker worker(loop);
        std::promise<void> begun;
        worker.run([&] { begun.set_value(); }, [&] { told = true; });
        begun.get_future().wait();
    }
    bool over = false;
    loop.post([&] { over = true; });
    loop.run_until([&] { return over; });
    EXPECT_FALSE(told);
}

}  // namespace
}  // namespace trebuchet
