//! The model of AWS's load balancer: when it stops sending new connections to a target, and when it cuts existing ones.
//!
//! Pure. Every delay is a setting; `docs/drill.md` gives the sources of the defaults and the model's limits.

use serde::{Deserialize, Serialize};

/// The load balancer that is simulated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LoadBalancerType {
    Nlb,
    Alb,
}

impl LoadBalancerType {
    /// `NLB` or `ALB`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Nlb => "NLB",
            Self::Alb => "ALB",
        }
    }
}

/// The effect of a failing health check on a target that is already draining. Not documented or measured on AWS.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum WhileDraining {
    /// The load balancer stops using the target, as with any unhealthy target.
    Sooner,
    /// No effect: new connections stop when the deregistration has taken effect.
    Not,
}

/// The load balancer's delays, in seconds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct LoadBalancerModel {
    pub kind: LoadBalancerType,
    /// Delay from a deregistration to the last new connection.
    pub after_deregistration: f64,
    /// Delay from the mark as unhealthy to the last new connection.
    pub after_unhealthy: f64,
    pub unhealthy_while_draining: WhileDraining,
    /// `target_health_state.unhealthy.connection_termination.enabled`
    pub cuts_unhealthy: bool,
    /// `HealthCheckIntervalSeconds`
    pub check_interval: f64,
    /// `UnhealthyThresholdCount`
    pub check_threshold: u32,
}

/// The signals that a target should leave, each with its time.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct TargetSignals {
    pub deregistered: Option<f64>,
    pub unhealthy: Option<f64>,
}

impl LoadBalancerModel {
    /// When new connections to the target stop, unless the signals change.
    #[must_use]
    pub fn stops_at(&self, signals: TargetSignals) -> Option<f64> {
        let deregistered = signals.deregistered.map(|at| at + self.after_deregistration);
        let unhealthy =
            signals.unhealthy.filter(|at| self.counts_health(signals, *at)).map(|at| at + self.after_unhealthy);
        [deregistered, unhealthy].into_iter().flatten().min_by(f64::total_cmp)
    }

    /// When existing connections to the target are cut.
    #[must_use]
    pub fn cuts_at(&self, signals: TargetSignals) -> Option<f64> {
        signals.unhealthy.filter(|_| self.cuts_unhealthy)
    }

    /// Whether the mark as unhealthy counts: always if it came before the deregistration.
    fn counts_health(&self, signals: TargetSignals, unhealthy: f64) -> bool {
        let drained_before = signals.deregistered.is_some_and(|at| at <= unhealthy);
        !drained_before || self.unhealthy_while_draining == WhileDraining::Sooner
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) const NLB: LoadBalancerModel = LoadBalancerModel {
        kind: LoadBalancerType::Nlb,
        after_deregistration: 120.0,
        after_unhealthy: 40.0,
        unhealthy_while_draining: WhileDraining::Sooner,
        cuts_unhealthy: false,
        check_interval: 10.0,
        check_threshold: 2,
    };
    const NOT: LoadBalancerModel = LoadBalancerModel { unhealthy_while_draining: WhileDraining::Not, ..NLB };

    #[test]
    fn the_last_new_connection_comes_when_the_first_of_the_two_has_taken_effect() {
        let table = [
            (None, None, None, None),
            (Some(1.0), None, Some(121.0), Some(121.0)),
            (None, Some(20.0), Some(60.0), Some(60.0)),
            (Some(1.0), Some(20.0), Some(60.0), Some(121.0)),
            (Some(1.0), Some(90.0), Some(121.0), Some(121.0)),
            (Some(30.0), Some(20.0), Some(60.0), Some(60.0)),
        ];
        for (deregistered, unhealthy, sooner, not) in table {
            let signals = TargetSignals { deregistered, unhealthy };
            assert_eq!((NLB.stops_at(signals), NOT.stops_at(signals)), (sooner, not), "{signals:?}");
        }
    }

    #[test]
    fn only_with_termination_does_a_failing_health_check_cut() {
        let signals = TargetSignals { deregistered: Some(1.0), unhealthy: Some(20.0) };
        assert_eq!(NLB.cuts_at(signals), None);
        assert_eq!(LoadBalancerModel { cuts_unhealthy: true, ..NLB }.cuts_at(signals), Some(20.0));
        assert_eq!(
            LoadBalancerModel { cuts_unhealthy: true, ..NOT }.cuts_at(TargetSignals { unhealthy: None, ..signals }),
            None
        );
    }
}
