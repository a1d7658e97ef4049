#include "common/base/text.hpp"
#include "common/metrics/metrics.hpp"

#include <string_view>

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

namespace trebuchet {
namespace {

constexpr std::size_t label_limit = 128;

std::string clean(std::string_view text) {
    auto value = to_valid_utf8(text.substr(0, label_limit + 1));
    if (value.size() > label_limit) {
        value.resize(label_limit);
        value.resize(label_limit - incomplete_utf8_tail(value));
    }
    for (char& c : value) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte < 0x20 || byte == 0x7F) c = ' ';
    }
    return value;
}

prometheus::Labels clean(const MetricLabels& labels) {
    prometheus::Labels all;
    for (const auto& [name, value] : labels) all.emplace(name, clean(value));
    return all;
}

}  // namespace

struct Metrics::State {
    prometheus::Registry registry{prometheus::Registry::InsertBehavior::Merge};
};

Metrics::Metrics() : state_(std::make_unique<State>()) {}
Metrics::~Metrics() = default;

Counter Metrics::counter(const MetricFamily& family, const MetricLabels& labels) {
    auto& series = prometheus::BuildCounter().Name(family.name).Help(family.help).Register(state_->registry);
    return Counter(series.Add(clean(labels)));
}

Gauge Metrics::gauge(const MetricFamily& family, const MetricLabels& labels) {
    auto& series = prometheus::BuildGauge().Name(family.name).Help(family.help).Register(state_->registry);
    return Gauge(series.Add(clean(labels)));
}

Histogram Metrics::histogram(const MetricFamily& family, const MetricLabels& labels,
                             const std::vector<double>& bounds) {
    auto& series = prometheus::BuildHistogram().Name(family.name).Help(family.help).Register(state_->registry);
    return Histogram(series.Add(clean(labels), bounds));
}

std::string Metrics::text() const {
    return prometheus::TextSerializer().Serialize(state_->registry.Collect());
}

void Counter::add(double by) const {
    series_->Increment(by);
}

void Gauge::set(double value) const {
    series_->Set(value);
}

void Histogram::observe(double value) const {
    series_->Observe(value);
}

}  // namespace trebuchet
