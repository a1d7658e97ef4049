// Runs while Trebuchet is built: writes compiled_credential_rules.cpp, which is compiled into the programs.

#include "common/mask/credential_rules.hpp"
#include "common/mask/pattern_database.hpp"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <iostream>
#include <string>
#include <vector>

namespace trebuchet {
namespace {

/// As numbers of eight bytes: a compiler reads them faster than single bytes.
void write_numbers(std::ostream& out, const std::string& bytes) {
    for (std::size_t at = 0; at < bytes.size(); at += sizeof(std::uint64_t)) {
        std::uint64_t number = 0;
        std::memcpy(&number, bytes.data() + at, std::min(sizeof number, bytes.size() - at));
        out << number << "u,\n";
    }
}

int write_source(const char* path) {
    std::vector<const CredentialRule*> rules;
    for (const auto& rule : credential_rules()) rules.push_back(&rule);
    const auto compiled = PatternDatabase::compile(expressions_of(rules));
    if (!compiled) {
        std::cerr << compiled.error().message() << '\n';
        return 1;
    }
    std::ofstream out(path);
    out << "#include \"common/mask/compiled_credential_rules.hpp\"\n\n#include <cstdint>\n\nnamespace trebuchet {\n"
           "namespace {\n\n";
    std::string list;
    for (std::size_t i = 0; i < compiled->size(); ++i) {
        const auto name = "database_" + std::to_string(i);
        out << "const std::uint64_t " << name << "[] = {\n";
        write_numbers(out, (*compiled)[i]);
        out << "};\n\n";
        list += "{reinterpret_cast<const char*>(" + name + "), " + std::to_string((*compiled)[i].size()) + "},\n";
    }
    out << "}  // namespace\n\nconst std::vector<std::string_view>& compiled_credential_rules() {\n"
        << "static const std::vector<std::string_view> all{\n"
        << list << "};\nreturn all;\n}\n\n}  // namespace trebuchet\n";
    out.close();
    if (out) return 0;
    std::cerr << "cannot write " << path << '\n';
    return 1;
}

}  // namespace
}  // namespace trebuchet

int main(int argc, char** argv) {
    if (argc != 2) {
        std::cerr << "usage: trebuchet-compile-credential-rules FILE\n";
        return 2;
    }
    return trebuchet::write_source(argv[1]);
}
