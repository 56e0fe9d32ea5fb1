//! Findings that a template accepts in a resource's metadata: `Metadata: {spotdrain: {ignore: [SD013], reason: …}}` of a
//! resource.

use crate::checks::check;
use crate::model::root::{Place, Suppression};
use crate::model::setting::Setting;
use crate::template::evaluate::value::Value;

const EXPECTED: &str = "expected Metadata: { spotdrain: { ignore: [SD013], reason: why } }";

/// Reads the suppression of a resource, or returns why it is not valid.
pub(crate) fn suppression(place: &Place, metadata: &Value) -> Result<Suppression, String> {
    let unknown = |why: String| format!("its Metadata spotdrain is unknown: {why}");
    let ids = match metadata.texts("ignore") {
        Setting::Set(ids) if !ids.is_empty() => ids,
        Setting::Unknown(why) => return Err(unknown(why)),
        _ => return Err(format!("its Metadata spotdrain names no check: {EXPECTED}")),
    };
    let reason = match metadata.text("reason") {
        Setting::Set(reason) if !reason.trim().is_empty() => reason,
        Setting::Unknown(why) => return Err(unknown(why)),
        _ => return Err(format!("its Metadata spotdrain has no reason, so it does not count: {EXPECTED}")),
    };
    let known = |id: &String| check(id).map(|check| check.id).ok_or_else(|| id.clone());
    let checks: Result<Vec<_>, _> = ids.iter().map(known).collect();
    let checks = checks.map_err(|id| {
        format!("its Metadata spotdrain names {id}, which is not a check: spotdrain doctor --explain lists them")
    })?;
    Ok(Suppression { place: place.clone(), checks, reason })
}
