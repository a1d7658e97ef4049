#include "tests/common/mask/credential_samples.hpp"

#include <stdexcept>

namespace trebuchet::test {
namespace {

using Kind = CredentialKind;

const std::string key_line = "b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQAAAAAAAAABAAAAMwAAAAtz";
const std::string short_line = "c2gtZWQ=";
const std::string key_id = std::string("AK") + "IA";
const std::string github_id = std::string("gh") + "p_";
const std::string thirty_six = "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8";
const std::string aws_key = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
const std::string basic = "dXNlcjpwYXNzd29yZA==";
const std::string jwt = "hbGciOiJIUzI1NiJ9.eyJzdWIiOiJsYWIifQ.q7R8s9T0u1V2w3X4y5Z6_-a7B8c9";

std::string begin(const std::string& label) {
    return "-----BEGIN " + label + "-----";
}

std::string end(const std::string& label) {
    return "-----END " + label + "-----";
}

void add_private_keys(std::vector<CredentialSample>& samples) {
    for (const std::string label :
         {"PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY", "OPENSSH PRIVATE KEY", "ENCRYPTED PRIVATE KEY",
          "PGP PRIVATE KEY BLOCK", "PRIVATE KEY BLOCK", "lab PRIVATE KEY"}) {
        samples.push_back({Kind::private_key, "$ cat key\n" + begin(label) + "\n", "",
                           key_line + "\n" + key_line + "\n" + short_line, "\n" + end(label) + "\n$ "});
    }
    const std::string label = "PRIVATE KEY";
    samples.push_back({Kind::private_key, "{\"key\": \"" + begin(label) + "\\n", "", key_line + "\\n" + short_line,
                       "\\n" + end(label) + "\\n\"}\n"});
    samples.push_back({Kind::private_key, begin(label) + "\r\n", "", "Proc-Type: 4,ENCRYPTED\r\n\r\n" + key_line,
                       "\r\n" + end(label) + "\r\n"});
    samples.push_back({Kind::private_key, begin(label), "", key_line, end(label)});
    samples.push_back({Kind::private_key, "no end: " + begin(label) + "\n", "", key_line + "\n" + key_line, ""});
    samples.push_back({Kind::private_key, "foreign lines behind: " + begin(label) + "\n", "",
                       key_line + "\n" + key_line, "\n1\n2\n3\n4\n5\n6\n7\n8\n"});
    samples.push_back({Kind::private_key, "again: " + begin(label) + "\n", "", key_line, "\n" + begin(label) + "\n"});
    samples.push_back({Kind::private_key, "---- BEGIN SSH2 ENCRYPTED PRIVATE KEY ----\n", "",
                       "Comment: \"x\"\n" + key_line, "\n---- END SSH2 ENCRYPTED PRIVATE KEY ----\n"});
    samples.push_back(
        {Kind::private_key, "Private-Lines: 2\n", "", key_line + "\n" + short_line, "\nPrivate-MAC: 00ff\n"});
    for (const std::string value : {"BQUklWQVRFIEtFWS0tLS0tCk1JSUV2", "BPUEVOU1NIIFBSSVZBVEUgS0VZLS0tLS0K"}) {
        samples.push_back({Kind::private_key, "    client-key-data: ", "LS0tLS1CRUdJTi", value, "==\n"});
    }
    samples.push_back({Kind::private_key, "# key\n", std::string("AGE-SECRET") + "-KEY-1",
                       "QQPQZ7R7SZG58TWY8JZHKCEVYRF0YSQGRWFPTXK3GRJKYGHGVXJQ0EQ6N0", "\n"});
}

void add_urls_and_headers(std::vector<CredentialSample>& samples) {
    const auto url = [&](const std::string& before, const std::string& value, const std::string& behind) {
        samples.push_back({Kind::url_password, before, "", value, behind});
    };
    url("cloning https://lab:", "s3cret", "@git.example.org/x.git\n");
    url("proxy http://user%40corp:", "p%20w", "@proxy:3128 ");
    url("amqp://guest:", "guest", "@[::1]:5672/vhost");
    url("mongodb://app:", "12345", "@a:27017,b:27017/db\n");
    url("https://me@corp.example:", "p:w@x", "@host/");
    url("postgresql+psycopg2://app:", "p/w#1?", "@db/x?mail=a@b");
    url("redis://:", "only-a-password", "@cache:6379\n");
    url("{\"url\":\"https://lab:", "a\\u0026b", "@host\"}");
    url(R"({"url":"https:\/\/lab:)", "pw'1", R"(@host\/x"})");

    const auto header = [&](const std::string& before, const std::string& value, const std::string& behind) {
        samples.push_back({Kind::authorization, before, "", value, behind});
    };
    header("> Authorization: Bearer ", "abc.DEF-123~x+/==", "\r\n> Accept: */*\r\n");
    header("authorization: bearer ", "0123456789abcdef", "\n");
    header("* [HTTP/2] [1] [authorization: Bearer ", "abcDEF123", "]\n");
    header("Proxy-Authorization: Basic ", basic, "\r\n");
    header("{\"Authorization\": \"Bearer ", "abcDEF123", "\", \"x\": 1}");
    header("{\\\"Authorization\\\":\\\"Basic ", basic, "\\\"}");
    header("{'Authorization': b'Basic ", basic, "'}");
    header("-H 'Authorization: token ", "abcdef0123456789", "' https://x/\n");
    header("Authorization: [Bearer ", "abcDEF123", "]");
    header("map[Authorization:[Bearer ", "abcDEF123", "] X:[y]]");
    header("http.Header{\"Authorization\":[]string{\"Bearer ", "abcDEF123", "\"}}");
    header("{\"Authorization\":\"Bearer ", "abc\\/DEF\\/123", "\\n\"}");
    header(".header(\"Authorization\", \"Bearer ", "abcDEF123", "\")");
}

void add_tokens(std::vector<CredentialSample>& samples) {
    const auto token = [&](Kind kind, const std::string& before, const std::string& prefix, const std::string& value,
                           const std::string& behind) {
        samples.push_back({kind, before, prefix, value, behind});
    };
    token(Kind::aws, "id=", key_id, "IOSFODNN7EXAMPLE", "\n");
    token(Kind::aws, "\"AccessKeyId\": \"", std::string("AS") + "IA", "IOSFODNN7EXAMPLE", "\",");
    for (const std::string before :
         {"aws_secret_access_key = ", "AWS_SECRET_ACCESS_KEY=", "\"SecretAccessKey\": \"", "secret_key: '",
          "<SecretAccessKey>", "aws-secret-key => \"", "{\\\"secretAccessKey\\\":\\\""}) {
        token(Kind::aws, before, "", aws_key, "\n");
    }
    token(Kind::aws, "{\"SecretAccessKey\":\"", "", "wJalrXUtnFEMI\\/K7MDENG\\/bPxRfiCYEXAMPLEKEY", "\"}");
    token(Kind::aws, "aws_session_token=", "", std::string(30, 'I') + "QoJb3JpZ2luX2VjE" + std::string(80, 'x'),
          "==\n");
    for (const std::string id : {"p", "o", "u", "s", "r"}) {
        token(Kind::github, "remote: ", "gh" + id + "_", thirty_six, "\n");
    }
    token(Kind::github, "https://", github_id, thirty_six, "@github.com/x\n");
    token(Kind::github, "a\\n", github_id, thirty_six, "\\nb");
    token(Kind::github, "x%3D", github_id, thirty_six, "%26");
    token(Kind::github, "a\\x0a", github_id, thirty_six, "\\nb");
    token(Kind::github, "\x1B[31m", github_id, thirty_six, "\x1B[0m");
    token(Kind::github, "(", std::string("github") + "_pat_", thirty_six + "_" + thirty_six, ")");
    for (const std::string id :
         {"pat-", "dt-", "rt-", "ft-", "oas-", "cbt-", "ptt-", "rtr-", "imt-", "soat-", "ffct-", "agent-"}) {
        token(Kind::gitlab, "token: ", "gl" + id, "a1B2c3D4_5F6-7H8i9J0", ".\n");
    }
    token(Kind::gitlab, "--registration-token ", std::string("GR134") + "8941", "a1B2c3D4e5F6g7H8i9J0", "\n");
    for (const std::string id : {"b", "p", "a", "r", "s", "o"}) {
        token(Kind::slack, "SLACK=", "xox" + id + "-", "123456789012-a1B2c3D4e5F6", "\n");
    }
    token(Kind::slack, "curl https://hooks.slack" + std::string(".com/services/"), "",
          "T01234567/B01234567/a1B2c3D4e5F6g7H8i9J0k1L2", " ok");
    token(Kind::vault, "token  ", "hvs.", "CAESIA1b2C3d4E5f6G7h8I9j0", "\n");
    token(Kind::vault, "batch=", "hvb.", "AAAAAQL1b2C3d4E5f6G7h8I9j0", "\n");
    token(Kind::vault, "token                s.", "", "a1B2c3D4e5F6g7H8i9J0k1L2", "\ntoken_accessor  x\n");
    token(Kind::vault, "VAULT_TOKEN=s.", "", "a1B2c3D4e5F6g7H8i9J0k1L2", "\n");
    token(Kind::vault, "X-Vault-Token: s.", "", "a1B2c3D4e5F6g7H8i9J0k1L2", "\r\n");
    token(Kind::vault, "{\"client_token\":\"s.", "", "a1B2c3D4e5F6g7H8i9J0k1L2", "\"}");
    const std::string hex = "0123456789abcdef";
    token(Kind::registry, "//registry.npmjs.org/:_authToken=", std::string("np") + "m_", thirty_six, "\n");
    token(Kind::registry, "password = ", std::string("pyp") + "i-AgE",
          "IcHlwaS5vcmc" + thirty_six + thirty_six + "_-x9", "\n");
    token(Kind::registry, ":rubygems_api_key: ", std::string("rubyg") + "ems_", hex + hex + hex, "\n");
    token(Kind::registry, "docker login -p ", std::string("dck") + "r_pat_", "a1B2c3D4e5F6-7H8i9J0k1L2m3N", "\n");
    token(Kind::cloud, "key=", std::string("AI") + "za", "SyA1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p-_", "&x");
    token(Kind::cloud, "client_secret: ", std::string("GOC") + "SPX-", "a1B2c3D4e5F6g7H8i9J0k1L2-_m3", "\n");
    token(Kind::cloud, "\"access_token\": \"", std::string("ya") + "29.", "a0" + thirty_six + "_-" + thirty_six, "\"");
    token(Kind::cloud, "DIGITALOCEAN_TOKEN=", std::string("do") + "p_v1_", hex + hex + hex + hex, "\n");
    token(Kind::ai, "x-api-key: ", std::string("sk-") + "ant-", "api03-" + thirty_six + "_-AA", "\r\n");
    token(Kind::ai, "OPENAI_API_KEY=", std::string("sk-") + "proj-", thirty_six + "_-" + thirty_six, "\n");
    token(Kind::ai, "HF_TOKEN=", std::string("h") + "f_", "aBcDeFgHiJkLmNoPqRsTuVwXyZaBcDeFgH", "\n");
    token(Kind::ai, "GROQ=", std::string("gs") + "k_", thirty_six + "a1B2c3D4e5F6g7H8", "\n");
    token(Kind::payment, "stripe: ", std::string("sk") + "_live_", "a1B2c3D4e5F6g7H8i9J0k1L2", "\n");
    token(Kind::payment, "stripe: ", std::string("rk") + "_test_", thirty_six, "\n");
    token(Kind::payment, "hook ", std::string("wh") + "sec_", "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6", "\n");
    token(Kind::monitoring, "GRAFANA=", std::string("gl") + "sa_", "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6_0123abcd", "\n");
    token(Kind::monitoring, "key ", std::string("NR") + "AK-", "A1B2C3D4E5F6G7H8I9J0K1L2M3N", "\n");
    token(Kind::monitoring, "sendgrid ", std::string("S") + "G.", "a1B2c3D4e5F6g7H8i9J0k1." + thirty_six + "a1B2c3-",
          "\n");
    token(Kind::jwt, "jwt=", "eyJ", jwt, "\n");
    token(Kind::jwt, "{\"id_token\":\"", "eyJ", jwt, "\"}");
    token(Kind::jwt, "it is ", "eyJ", jwt, ". Next");
}

}  // namespace

std::vector<CredentialSample> credential_samples() {
    std::vector<CredentialSample> samples;
    add_private_keys(samples);
    add_urls_and_headers(samples);
    add_tokens(samples);
    return samples;
}

std::vector<std::string> harmless_samples() {
    return {
        "",
        "Password for 'https://lab@git.example.org:8443': ",
        "http://localhost:8080/ http://[::1]:8080/a@b ssh://git@host:22/x https://host/a:b@c",
        "http://a:2379,http://b:2379 mail ops@example.org",
        "mirror http://a:8080, see me@example.org; [http://a:80] x@y 'http://a:80' 'x@y'",
        "https://$USER:$PASSWORD@host https://u:${TOKEN}@host https://u:{password}@host https://%s:%s@%s/",
        "docker://alpine:3.19@sha256:0123 git+ssh://git@host:lab/x@1.2 http://host:port/x http://host:80/#a@b",
        "a://b:/c@d",
        "https://u:****@host https://u:xxxx@host https://u:@host https://:@host ://@ ://",
        "https://u:**ab12cd**@host Authorization: Bearer **ab12cd** Authorization: Basic **ab12cd**",
        "Authorization: Bearer authentication is required",
        "Authorization: Basic authentication is required",
        "Authorization: Bearer <token> Authorization: Bearer $TOKEN Authorization: Bearer ... Authorization: Bearer ",
        "www-authenticate: Bearer realm=\"https://auth.example.org/token\" Basic realm=\"lab\"",
        "authorization bearer token expired",
        key_id + "IOSFODNN7EXAMPLES " + key_id + "IOSFODNN7EXAMPL X" + key_id + "IOSFODNN7EXAMPLE " + key_id,
        "secret_key = da39a3ee5e6b4b0d3255bfef95601890afd80709 secret_key = short secretkey",
        aws_key + " alone",
        "SerialNumber: " + key_id + "1A0B8C9D0E1F2A3B",
        github_id + " " + github_id + "short " + github_id + "_" + thirty_six + " x" + github_id + thirty_six,
        "glpat-style glpat- glpat-names-of-things-with-dashes-in-them",
        "xoxb-some-words-here xoxb- boxoxb-1234567890-12345",
        "hvs. hvs.short-value-here token: s.o. token = s.find(x) s.a1B2c3D4e5F6g7H8i9J0k1L2",
        "token = s.some_identifier_that_is_rather_long token = s.authorizationHeaderParser(",
        "secret_key = home/lab/projects/keys/of/the/device/x",
        "npm_config_registry npm_package_dependencies_a_very_long_name_of_a_package pypi-AgE pypi-server-of-the-lab",
        "rubygems_update rubygems_0123456789abcdef dckr_pat_ AIzaShort GOCSPX- ya29. ya29.x dop_v1_0123 SG.x SG.a.b",
        "sk-learn sk-ant- sk-ant-colony-optimisation-of-long-names hf_hub_download "
        "hf_transformers_cache_directory_of_models",
        "gsk_widget_get_parent gsk_render_node_get_children sk_live_ sk_test_short task_live_a1B2c3D4e5F6g7H8i9J0k1L2",
        "whsec_ glsa_ glsa_short NRAK- NRAK-SHORT "
        "MSG.a1B2c3D4e5F6g7H8i9J0k1.a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8a1B2c3-",
        "eyJ eyJhbGciOiJIUzI1NiJ9 eyJhcmNoaXRlY3R1cmUiOiJhbWQ2NCIsIm9zIjoibGludXgifQ== x.eyJ.y",
        "-----BEGIN \nPRIVATE KEY-----\n" + key_line + "\n" + end("PRIVATE KEY"),
        "----BEGIN PRIVATE KEY-----\n" + key_line + "\n" + end("PRIVATE KEY"),
        begin("CERTIFICATE") + "\n" + key_line + "\n" + end("CERTIFICATE"),
        begin("PUBLIC KEY") + "\n" + key_line + "\n" + end("PUBLIC KEY"),
        begin("PGP PUBLIC KEY BLOCK") + "\n" + key_line + "\n" + end("PGP PUBLIC KEY BLOCK"),
        begin("PRIVATE KEY") + "\n**ab12cd**\n**0123ef**\n" + end("PRIVATE KEY"),
        begin("PRIVATE KEY") + "\n...\n" + end("PRIVATE KEY"),
        "START = b\"" + begin("PRIVATE KEY") + "\"\nEND = b\"" + end("PRIVATE KEY") + "\"\n",
        "certificate-authority-data: LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tCk1JSUR",
        "static const char begin[] = \"" + begin("PRIVATE KEY") + "\";\nint main() {}\n",
        "**ab12cd** **ab12cd****0123ef** ****",
    };
}

std::shared_ptr<const MaskText> plain_masks() {
    static const auto masks = std::make_shared<const MaskText>(MaskHash::sha256);
    return masks;
}

std::shared_ptr<const CredentialPatterns> credential_patterns(const std::vector<std::string>& off) {
    const auto build = [](const std::vector<std::string>& names) {
        auto patterns = CredentialPatterns::build(names, plain_masks());
        if (!patterns) throw std::runtime_error(patterns.error().message());
        return *patterns;
    };
    static const auto all = build({});
    return off.empty() ? all : build(off);
}

std::string hide_credentials(std::string_view text) {
    CredentialStream stream(credential_patterns());
    std::string out;
    stream.write_last(text, out);
    return out;
}

}  // namespace trebuchet::test
