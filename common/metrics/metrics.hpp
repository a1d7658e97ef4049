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

/// What a family of metrics is called and says of itself. The name fits [a-zA-Z_:][a-zA-Z0-9_:]*, without two leading
/// underscores; a counter's ends in "_total", and what has a unit names it: "_seconds", "_bytes". `help` is one line.
struct MetricFamily {
    std::string name;
    std::string help;
};

using MetricLabels = std::map<std::string, std::string>;

/// One series that only grows. Valid as long as its Metrics, like the other two.
class Counter {
  public:
    void add(double by = 1.0) const;

  private:
    friend class Metrics;
    explicit Counter(prometheus::Counter& series) : series_(&series) {}
    prometheus::Counter* series_;
};

/// One series that goes up and down.
class Gauge {
  public:
    void set(double value) const;

  private:
    friend class Metrics;
    explicit Gauge(prometheus::Gauge& series) : series_(&series) {}
    prometheus::Gauge* series_;
};

/// One distribution.
class Histogram {
  public:
    void observe(double value) const;

  private:
    friend class Metrics;
    explicit Histogram(prometheus::Histogram& series) : series_(&series) {}
    prometheus::Histogram* series_;
};

/// The process's metrics, in memory. Asking again for a series of the same name and labels gives the same one. A series
/// is shown from when it was first asked for, and never goes away: whoever takes a label's value from outside bounds
/// how many there are. Label values are made valid UTF-8 without control characters, at most 128 bytes. A wrong name,
/// or one name for two kinds, is a bug and throws.
class Metrics {
  public:
    Metrics();
    ~Metrics();
    Metrics(const Metrics&) = delete;
    Metrics& operator=(const Metrics&) = delete;

    [[nodiscard]] Counter counter(const MetricFamily& family, const MetricLabels& labels);
    [[nodiscard]] Gauge gauge(const MetricFamily& family, const MetricLabels& labels);
    /// `bounds`: upper bounds of the buckets, growing; the one up to +Inf comes by itself.
    [[nodiscard]] Histogram histogram(const MetricFamily& family, const MetricLabels& labels,
                                      const std::vector<double>& bounds);

    /// All of it in Prometheus' text exposition format, version 0.0.4.
    [[nodiscard]] std::string text() const;

  private:
    struct State;
    std::unique_ptr<State> state_;
};

/// The media type of Metrics::text().
inline constexpr const char* metrics_media_type = "text/plain; version=0.0.4; charset=utf-8";

}  // namespace trebuchet
