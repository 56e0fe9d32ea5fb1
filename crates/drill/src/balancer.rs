//! The model of AWS's load balancer: when does it send a target its last new connection, and when does it cut those that
//! the target has?
//!
//! Pure. Every figure is a setting; `docs/drill.md` says where the defaults come from and what the model leaves out.

use serde::Serialize;

/// Which load balancer is played.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// A Network Load Balancer.
    Nlb,
    /// An Application Load Balancer.
    Alb,
}

/// What a failing health check does for a target that is draining already. Nobody has measured it on AWS.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum WhileDraining {
    /// It is left as any unhealthy target is.
    Sooner,
    /// It makes no difference: the target is left when the deregistration has taken effect.
    Not,
}

/// The load balancer's delays, in seconds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Balancer {
    /// Which one it is.
    pub kind: Kind,
    /// From a deregistration to the last new connection.
    pub after_deregistration: f64,
    /// From the moment when a target is marked unhealthy to the last new connection.
    pub after_unhealthy: f64,
    /// What an unhealthy draining target is to it.
    pub unhealthy_while_draining: WhileDraining,
    /// `target_health_state.unhealthy.connection_termination.enabled`
    pub cuts_unhealthy: bool,
    /// `HealthCheckIntervalSeconds`
    pub check_interval: f64,
    /// `UnhealthyThresholdCount`
    pub check_threshold: u32,
}

/// What the load balancer knows of a target, and since when.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Seen {
    /// When it was deregistered.
    pub deregistered: Option<f64>,
    /// When it was marked unhealthy.
    pub unhealthy: Option<f64>,
}

impl Balancer {
    /// When the target gets no more new connections, if what is known stays so.
    #[must_use]
    pub fn leaves(&self, seen: Seen) -> Option<f64> {
        let deregistered = seen.deregistered.map(|at| at + self.after_deregistration);
        let unhealthy = seen.unhealthy.filter(|at| self.minds_health(seen, *at)).map(|at| at + self.after_unhealthy);
        [deregistered, unhealthy].into_iter().flatten().min_by(f64::total_cmp)
    }

    /// When the connections that the target has are cut.
    #[must_use]
    pub fn cuts(&self, seen: Seen) -> Option<f64> {
        seen.unhealthy.filter(|_| self.cuts_unhealthy)
    }

    /// A target that was marked before it drained is on its way out already.
    fn minds_health(&self, seen: Seen, unhealthy: f64) -> bool {
        let drained_before = seen.deregistered.is_some_and(|at| at <= unhealthy);
        !drained_before || self.unhealthy_while_draining == WhileDraining::Sooner
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) const NLB: Balancer = Balancer {
        kind: Kind::Nlb,
        after_deregistration: 120.0,
        after_unhealthy: 40.0,
        unhealthy_while_draining: WhileDraining::Sooner,
        cuts_unhealthy: false,
        check_interval: 10.0,
        check_threshold: 2,
    };
    const NOT: Balancer = Balancer { unhealthy_while_draining: WhileDraining::Not, ..NLB };

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
            let seen = Seen { deregistered, unhealthy };
            assert_eq!((NLB.leaves(seen), NOT.leaves(seen)), (sooner, not), "{seen:?}");
        }
    }

    #[test]
    fn only_with_termination_does_a_failing_health_check_cut() {
        let seen = Seen { deregistered: Some(1.0), unhealthy: Some(20.0) };
        assert_eq!(NLB.cuts(seen), None);
        assert_eq!(Balancer { cuts_unhealthy: true, ..NLB }.cuts(seen), Some(20.0));
        assert_eq!(Balancer { cuts_unhealthy: true, ..NOT }.cuts(Seen { unhealthy: None, ..seen }), None);
    }
}
