#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

namespace prometheus {
class Counter;
class Gauge;
class Histogram;
}  // namespace prometheus

namespace trebuchet {

/// Name and help text of a metric. The name matches [a-zA-Z_:][a-zA-Z0-9_:]* and does not start with "__". A counter's
/// name ends in "_total"; a unit is part of the name: "_seconds", "_bytes". `help` is one line.
struct MetricFamily {
    std::string name;
    std::string help;
};

using MetricLabels = std::map<std::string, std::string>;

/// A series that only grows. Valid as long as its Metrics, like Gauge and Histogram.
class Counter {
  public:
    void add(double by = 1.0) const;

  private:
    friend class Metrics;
    explicit Counter(prometheus::Counter& series) : series_(&series) {}
    prometheus::Counter* series_;
};

/// A series that goes up and down.
class Gauge {
  public:
    void set(double value) const;

  private:
    friend class Metrics;
    explicit Gauge(prometheus::Gauge& series) : series_(&series) {}
    prometheus::Gauge* series_;
};

/// A distribution.
class Histogram {
  public:
    void observe(double value) const;

  private:
    friend class Metrics;
    explicit Histogram(prometheus::Histogram& series) : series_(&series) {}
    prometheus::Histogram* series_;
};

/// The process's metrics, in memory. The same name and labels return the same series. A series is exported from its
/// first use and never removed, so bound the number of label values that come from outside. Label values become valid
/// UTF-8 without control characters, at most 128 bytes. Throws for an invalid name or one name for two kinds, which is
/// a bug.
class Metrics {
  public:
    Metrics();
    ~Metrics();
    Metrics(const Metrics&) = delete;
    Metrics& operator=(const Metrics&) = delete;

    [[nodiscard]] Counter counter(const MetricFamily& family, const MetricLabels& labels);
    [[nodiscard]] Gauge gauge(const MetricFamily& family, const MetricLabels& labels);
    /// `bounds`: upper bounds of the buckets, ascending, without +Inf, which is added.
    [[nodiscard]] Histogram histogram(const MetricFamily& family, const MetricLabels& labels,
                                      const std::vector<double>& bounds);

    /// All metrics in Prometheus' text format, version 0.0.4.
    [[nodiscard]] std::string text() const;

  private:
    struct State;
    std::unique_ptr<State> state_;
};

/// The media type of Metrics::text().
inline constexpr const char* metrics_media_type = "text/plain; version=0.0.4; charset=utf-8";

}  // namespace trebuchet
