#include "agent/delivery/spool.hpp"
#include "common/record_file/record_scan.hpp"
#include "tests/fakes/temporary_folder.hpp"
#include "tests/fuzz/require.hpp"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

using trebuchet::require;

/// The input is a spool's records, each one length byte and so many bytes. Whatever they contain, everything can be
/// sent in the order of the positions.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const trebuchet::TemporaryFolder folder("/dev/shm");
    std::filesystem::remove_all(folder / "job");
    std::filesystem::create_directory(folder / "job");
    std::string file;
    std::string_view rest(reinterpret_cast<const char*>(data), size);
    while (!rest.empty()) {
        const auto payload = rest.substr(1, static_cast<unsigned char>(rest[0]));
        rest.remove_prefix(1 + payload.size());
        const auto header = trebuchet::record_header(payload);
        file.append(header.data(), header.size()).append(payload);
    }
    folder.write("job/output.0", file);

    trebuchet::EventLoop loop;
    trebuchet::Worker worker(loop);
    trebuchet::Spool spool(worker, folder / "job", "output", {});
    if (spool.state().under_way) {
        static_cast<void>(spool.take_text_under_way());
        spool.finish_fragment(1);
    }
    auto position = spool.state().confirmed;
    while (const auto piece = spool.front(true)) {
        require(!piece->text.empty(), "a piece is not empty");
        require(piece->text.size() <= trebuchet::Spool::piece_limit, "a piece is not longer than the limit");
        require(piece->end > position, "positions increase");
        position = piece->end;
        spool.begin(*piece, spool.state().next_number, "now");
        spool.finish_fragment(1);
    }
    require(spool.is_empty(), "everything was sent");
    return 0;
}
