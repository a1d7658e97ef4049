#include "provision/connectors/leftovers.hpp"

#include "provision/ssh/shell_quote.hpp"

#include <cctype>
#include <random>

namespace trebuchet {

std::string new_mark(std::string_view device) {
    std::string mark;
    for (const char c : device.substr(0, 100)) {
        mark += std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' ? c : '_';
    }
    mark += ':';
    constexpr std::string_view digits = "0123456789abcdef";
    std::random_device random;
    for (int i = 0; i < 12; ++i) mark += digits[random() & 0xFU];
    return mark;
}

std::string end_leftovers_script(std::string_view mark, const std::string& disk, std::chrono::seconds wait,
                                 const std::string& program) {
    const auto device = std::string(mark.substr(0, mark.find(':') + 1));
    std::string script =
        "left=\n"
        "for file in $(grep -slz -e '^LC_TREBUCHET=" +
        device +
        "' /proc/[0-9]*/environ); do\n"
        "  grep -sqzx -e 'LC_TREBUCHET=" +
        std::string(mark) +
        "' $file\n"
        "  [ $? = 1 ] || continue\n"  // ours, or gone, as the first look itself is
        "  left=\"$left ${file%/environ}\"\n"
        "done\n";
    if (!disk.empty()) {
        // One word, so that the look does not find itself.
        script += "for file in $(grep -slzxF " + shell_quote("-eof=" + disk) +
                  " /proc/[0-9]*/cmdline); do left=\"$left ${file%/cmdline}\"; done\n";
    }
    if (!program.empty()) {
        script += "for file in $(grep -slzx " + shell_quote("-e\\(.*/\\)\\{0,1\\}" + program) +
                  " /proc/[0-9]*/cmdline); do left=\"$left ${file%/cmdline}\"; done\n";
    }
    return script +
           "if [ -n \"$left\" ]; then\n"
           "  echo \"ending what was left running:$left\"\n"
           "  for signal in TERM KILL; do\n"
           "    for process in $left; do\n"
           "      grep -qs . $process/cmdline || continue\n"
           "      kill -$signal ${process#/proc/} 2>/dev/null || sudo -n kill -$signal ${process#/proc/} 2>/dev/null\n"
           "    done\n"
           "    sleep 0.3 2>/dev/null || sleep 1\n"
           "  done\n"
           "  tries=" +
           std::to_string(wait.count()) +
           "\n"
           "  while :; do\n"
           "    still=\n"
           "    for process in $left; do grep -qs . $process/cmdline && still=\"$still ${process#/proc/}\"; done\n"
           "    [ -n \"$still\" ] || break\n"
           "    if [ $tries -le 0 ]; then echo \"still running:$still\"; exit 8; fi\n"
           "    tries=$((tries - 1))\n"
           "    sleep 1\n"
           "  done\n"
           "fi\n";
}

}  // namespace trebuchet
