//! The notices that every pattern and filter is tested with.

/// Every form of the notice that AWS has published or users have seen: its characteristic, and a sample.
pub(crate) const NOTICES: [(&str, &str); 4] = [
    ("stop code SpotInterruption", include_str!("../../../events/spot-interruption.json")),
    ("stop code TerminationNotice", include_str!("../../../events/termination-notice.json")),
    ("no stop code", include_str!("../../../events/no-stop-code.json")),
    ("a new stop code", include_str!("../../../events/new-stop-code.json")),
];

/// An event pattern that matches every notice.
pub(crate) const PATTERN: &str = r#"{"source":["aws.ecs"],"detail-type":["ECS Task State Change"],"detail":{"desiredStatus":["STOPPED"],"lastStatus":[{"anything-but":["DEPROVISIONING","STOPPED","DELETED"]}],"$or":[{"stopCode":["SpotInterruption","TerminationNotice"]},{"stoppedReason":[{"prefix":"Your Spot Task was interrupted"}]}]}}"#;
