#include "agent/api/answer.hpp"

#include "common/base/text.hpp"
#include "common/log/log.hpp"
#include "common/mask/mask_set.hpp"

namespace trebuchet {
namespace {

/// Bytes of the body to mask: far more than is shown, so that no value is cut at the end of the shown part.
constexpr std::size_t looked_at = 65536;
constexpr std::size_t shown = 200;

}  // namespace

std::string name_of_call(const HttpRequest& request) {
    const auto* method = request.method == HttpRequest::Method::get ? "GET " : "POST ";
    return method + request.target.substr(0, request.target.find('?'));
}

void hide_in_refusal(HttpResult& answer, const std::vector<std::string_view>& credentials) {
    if (!answer || (answer->status >= 200 && answer->status < 300) || answer->body.empty()) return;
    std::vector<NamedSecret> secrets;
    secrets.reserve(credentials.size());
    for (const auto credential : credentials) secrets.push_back({"credential", SecretString(credential)});
    const auto masks = MaskSet::build(std::move(secrets));
    const auto text = std::string_view(answer->body).substr(0, looked_at);
    answer->body = masks ? WipedString((*masks)->mask(text).bytes()) : WipedString();
}

Error refusal(const std::string& call, const HttpResponse& answer) {
    const auto text = std::string_view(answer.body).substr(0, looked_at);
    const bool may_hold_job = text.find("\"secrets\"") != std::string_view::npos;
    return Error("the server answered " + std::to_string(answer.status) + " to " + call + ": " +
                     (may_hold_job ? "(not shown, because it may contain secrets)"
                                   : trebuchet::quoted(mask_for_log(text).bytes(), shown)),
                 is_final_refusal(answer.status));
}

}  // namespace trebuchet
