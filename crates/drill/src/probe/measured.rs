//! The delays that a probe has measured, as the doctor and the drill read them from its JSON.

use serde::{Deserialize, Serialize};

use crate::load_balancer::model::{LoadBalancerModel, LoadBalancerType, WhileDraining};
use crate::probe::estimate::Bounds;
use crate::probe::record::SCHEMA;

/// Delays from an event to the last new connection of a target. Each experiment measures one of them, so the results of several
/// probes are merged.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Measured {
    pub load_balancer: Option<LoadBalancerType>,
    /// From a deregistration, while the target is healthy.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after_deregistration: Option<Bounds>,
    /// From the moment at which the target is marked unhealthy.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after_unhealthy: Option<Bounds>,
    /// From a deregistration, while the target also fails its health checks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after_deregistration_while_unhealthy: Option<Bounds>,
}

/// Why a file is not a probe's result.
#[derive(Debug, thiserror::Error)]
pub enum MeasuredError {
    #[error("not a result of spotdrain probe --json: {0}")]
    NotJson(#[from] serde_json::Error),
    #[error("its schema is {0:?}, and this version reads {SCHEMA:?}")]
    Schema(String),
    #[error("it measured no delay: only a probe with --experiment deregister, unhealthy or both does")]
    Nothing,
    #[error(
        "the delay {0} has no upper bound ({1}), because connections were still arriving at the end: repeat the probe with a larger --for"
    )]
    Unfinished(&'static str, Bounds),
    #[error("one result is of an {0} and another of an {1}: pass results of one load balancer only")]
    Mixed(&'static str, &'static str),
    #[error("the result is of an {0}, but the load balancer here is an {1}")]
    OtherKind(&'static str, &'static str),
}

#[derive(Deserialize)]
struct ProbeDocument {
    schema: String,
    #[serde(default)]
    measured: Measured,
}

impl Measured {
    /// Reads the JSON of a probe.
    pub fn parse(json: &str) -> Result<Self, MeasuredError> {
        let ProbeDocument { schema, measured } = serde_json::from_str(json)?;
        if schema != SCHEMA {
            return Err(MeasuredError::Schema(schema));
        }
        let delays = measured.delays();
        match delays.iter().find(|(_, bounds)| bounds.at_most.is_none()) {
            Some((name, bounds)) => Err(MeasuredError::Unfinished(name, *bounds)),
            None if delays.is_empty() => Err(MeasuredError::Nothing),
            None => Ok(measured),
        }
    }

    /// Whether no delay was measured.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.delays().is_empty()
    }

    /// The delays that were measured, each with its name.
    #[must_use]
    pub fn delays(&self) -> Vec<(&'static str, Bounds)> {
        let all = [
            ("after the deregistration", self.after_deregistration),
            ("after being marked unhealthy", self.after_unhealthy),
            ("after the deregistration, while failing its health checks", self.after_deregistration_while_unhealthy),
        ];
        all.into_iter().filter_map(|(name, delay)| Some((name, delay?))).collect()
    }

    /// Adds the delays of another probe, which replace delays of the same kind.
    pub fn merge(self, other: Self) -> Result<Self, MeasuredError> {
        if let (Some(one), Some(two)) = (self.load_balancer, other.load_balancer)
            && one != two
        {
            return Err(MeasuredError::Mixed(one.name(), two.name()));
        }
        Ok(Self {
            load_balancer: other.load_balancer.or(self.load_balancer),
            after_deregistration: other.after_deregistration.or(self.after_deregistration),
            after_unhealthy: other.after_unhealthy.or(self.after_unhealthy),
            after_deregistration_while_unhealthy: other
                .after_deregistration_while_unhealthy
                .or(self.after_deregistration_while_unhealthy),
        })
    }

    /// Whether the load balancer stops sending sooner to a draining target if the target fails its health checks. `None` if one
    /// of the two delays was not measured, or if the bounds do not decide it.
    #[must_use]
    pub fn while_draining(&self) -> Option<WhileDraining> {
        let (healthy, unhealthy) = (self.after_deregistration?, self.after_deregistration_while_unhealthy?);
        if unhealthy.at_most.is_some_and(|most| most < healthy.at_least) {
            return Some(WhileDraining::Sooner);
        }
        // Two measurements of the same delay differ by about the precision of one.
        let precision = healthy.at_most? - healthy.at_least;
        (unhealthy.at_least >= healthy.at_least - precision).then_some(WhileDraining::Not)
    }

    /// Replaces a model's delays by the measured ones.
    pub fn apply(&self, model: LoadBalancerModel) -> Result<LoadBalancerModel, MeasuredError> {
        if let Some(kind) = self.load_balancer
            && kind != model.kind
        {
            return Err(MeasuredError::OtherKind(kind.name(), model.kind.name()));
        }
        Ok(LoadBalancerModel {
            after_deregistration: self.after_deregistration.map_or(model.after_deregistration, Bounds::seconds),
            after_unhealthy: self.after_unhealthy.map_or(model.after_unhealthy, Bounds::seconds),
            unhealthy_while_draining: self.while_draining().unwrap_or(model.unhealthy_while_draining),
            ..model
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::load_balancer::model::tests::NLB;

    fn bounds(at_least: f64, at_most: f64) -> Bounds {
        Bounds { at_least, at_most: Some(at_most) }
    }

    #[test]
    fn only_both_delays_together_tell_whether_health_counts_while_draining() {
        let healthy = Measured { after_deregistration: Some(bounds(118.0, 120.0)), ..Measured::default() };
        let both = |after_deregistration_while_unhealthy| Measured { after_deregistration_while_unhealthy, ..healthy };
        assert_eq!(healthy.while_draining(), None);
        assert_eq!(both(Some(bounds(50.0, 52.0))).while_draining(), Some(WhileDraining::Sooner));
        assert_eq!(both(Some(bounds(117.0, 121.0))).while_draining(), Some(WhileDraining::Not));
        assert_eq!(both(Some(bounds(121.0, 123.0))).while_draining(), Some(WhileDraining::Not));
        assert_eq!(both(Some(bounds(90.0, 119.0))).while_draining(), None, "too imprecise");
    }

    #[test]
    fn what_was_measured_replaces_the_defaults_and_nothing_else() {
        let measured = Measured { after_unhealthy: Some(bounds(30.0, 31.5)), ..Measured::default() };
        let model = measured.apply(NLB).unwrap();
        assert_eq!(model, LoadBalancerModel { after_unhealthy: 31.5, ..NLB });
        let of_alb = Measured { load_balancer: Some(LoadBalancerType::Alb), ..measured };
        assert!(of_alb.apply(NLB).unwrap_err().to_string().contains("ALB"));
    }

    #[test]
    fn a_file_that_is_no_result_is_an_error_that_says_so() {
        for (json, part) in [
            ("", "not a result of spotdrain probe"),
            ("{}", "missing field `schema`"),
            (r#"{"schema": "x"}"#, "its schema is \"x\""),
            (r#"{"schema": "spotdrain-probe-1"}"#, "measured no delay"),
            (
                r#"{"schema": "spotdrain-probe-1", "measured": {"after_unhealthy": {"at_least": 58.0, "at_most": null}}}"#,
                "no upper bound (more than 58.0 s)",
            ),
        ] {
            let problem = Measured::parse(json).unwrap_err().to_string();
            assert!(problem.contains(part), "{json}: {problem}");
        }
    }
}
