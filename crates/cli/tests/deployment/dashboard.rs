//! The dashboard's body is JSON after substitution, and shows metrics that the code writes.

use regex::Regex;
use serde_json::Value;
use spotdrain_core::report::metrics::NAMESPACE;

use crate::deployed;
use crate::source::metric_words;

fn body() -> Value {
    let text = deployed().properties("Dashboard").unwrap()["DashboardBody"].as_str().unwrap().to_owned();
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// The rows of a widget: a metric's namespace, name and dimensions, or an expression.
fn rows(widget: &Value) -> &Vec<Value> {
    widget["properties"]["metrics"].as_array().unwrap()
}

#[test]
fn its_widgets_are_listed() {
    let body = body();
    let titles = body["widgets"].as_array().unwrap().iter().map(|one| one["properties"]["title"].as_str().unwrap());
    let expected = [
        "Interruptions by service",
        "Notice to deregistered",
        "Found already draining: ECS was first",
        "Failures",
        "Who deregistered first, by day",
        "Notices without a target group, an address or tags",
    ];
    assert_eq!(titles.collect::<Vec<_>>(), expected);
}

#[test]
fn its_metrics_exist_in_the_code() {
    let (body, words) = (body(), metric_words());
    let search = Regex::new(r#"^SEARCH\('\{([^}]+)\} MetricName="([A-Za-z]+)"', 'Sum', [0-9]+\)$"#).unwrap();
    let mut seen = 0;
    for row in body["widgets"].as_array().unwrap().iter().flat_map(rows) {
        if let Some(expression) = row[0]["expression"].as_str() {
            let parts = search.captures(expression).unwrap_or_else(|| panic!("{expression} is a search"));
            let mut names = parts[1].split(',');
            assert_eq!(names.next(), Some(NAMESPACE));
            assert!(names.chain([&parts[2]]).all(|name| words.contains(name)), "{expression}");
        } else if row[0] == NAMESPACE {
            assert!(words.contains(row[1].as_str().unwrap()), "{row}");
        } else {
            assert!(row[0] == "AWS/Lambda" || row[0] == "AWS/SQS", "{row}");
        }
        seen += 1;
    }
    assert!(seen > 10);
}

#[test]
fn its_widgets_do_not_overlap() {
    let body = body();
    let number = |widget: &Value, name: &str| widget[name].as_u64().unwrap();
    let widgets = body["widgets"].as_array().unwrap();
    for (index, one) in widgets.iter().enumerate() {
        assert!(number(one, "x") + number(one, "width") <= 24, "the dashboard has 24 columns");
        for other in &widgets[index + 1..] {
            let apart = |start: &str, size: &str| {
                number(one, start) + number(one, size) <= number(other, start)
                    || number(other, start) + number(other, size) <= number(one, start)
            };
            assert!(apart("x", "width") || apart("y", "height"));
        }
    }
}
