//! The charts of the page. Their bars are HTML elements and not a picture, so that they fit a narrow screen and the labels keep
//! their size.

use spotdrain_core::history::Summary;
use spotdrain_core::history::counts::Day;

/// Draws the interruptions by day, by who was first.
pub(crate) fn by_day(summary: &Summary) -> String {
    let most = summary.by_day.iter().map(|day| day.interruptions).max().unwrap_or(0).max(1);
    let bars: String = summary.by_day.iter().map(|day| of_day(day, most)).collect();
    let dates = [summary.by_day.first(), summary.by_day.get(summary.by_day.len() / 2), summary.by_day.last()];
    let labels: String = dates.into_iter().flatten().map(date).collect();
    let legend = [("ecs", "ECS was first"), ("ours", "spotdrain was first"), ("unknown", "unknown")];
    let legend: String = legend.map(|(class, name)| format!("<li><i class=\"{class}\"></i>{name}</li>")).concat();
    chart("Interruptions by day", most, &bars, &labels) + &format!("<ul class=\"legend\">{legend}</ul>\n")
}

/// Draws the interruptions by hour of the day.
pub(crate) fn by_hour(summary: &Summary) -> String {
    let most = summary.by_hour.iter().max().copied().unwrap_or(0).max(1);
    let bar = |(hour, count): (usize, &u64)| stack(&format!("{hour:02}:00 UTC: {count}"), &[("taken", *count)], most);
    let bars: String = summary.by_hour.iter().enumerate().map(bar).collect();
    chart("Interruptions by hour, UTC", most, &bars, "<span>00</span><span>12</span><span>23</span>")
}

fn date(day: &Day) -> String {
    format!("<span>{}</span>", day.date)
}

fn of_day(day: &Day, most: u64) -> String {
    let first = day.first;
    let title = format!(
        "{}: {} (ECS {}, spotdrain {}, unknown {})",
        day.date, day.interruptions, first.ecs, first.spotdrain, first.unknown
    );
    stack(&title, &[("unknown", first.unknown), ("ours", first.spotdrain), ("ecs", first.ecs)], most)
}

/// A bar of several parts, the first on top.
fn stack(title: &str, parts: &[(&str, u64)], most: u64) -> String {
    let part = |(class, count): &(&str, u64)| {
        if *count == 0 {
            return String::new();
        }
        format!("<i class=\"{class}\" style=\"height:{}%\"></i>", percent(*count, most))
    };
    let parts: String = parts.iter().map(part).collect();
    format!("<div title=\"{title}\">{parts}</div>")
}

/// With one decimal.
fn percent(count: u64, most: u64) -> String {
    let tenths = count * 1000 / most;
    format!("{}.{}", tenths / 10, tenths % 10)
}

fn chart(title: &str, most: u64, bars: &str, labels: &str) -> String {
    format!(
        "<section><h2>{title} <span>at most {most}</span></h2>\n<div class=\"chart\" role=\"img\" aria-label=\"{title}, at most {most}\">{bars}</div>\n\
         <div class=\"labels\">{labels}</div></section>\n"
    )
}
