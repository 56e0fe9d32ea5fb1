//! A probe's result as the delays of the doctor's forecast.

use spotdrain_doctor::delays::{Delays, LoadBalancerDelays};
use spotdrain_drill::probe::estimate::Bounds;
use spotdrain_drill::probe::measured::Measured;
use spotdrain_drill::{LoadBalancerType, WhileDraining};

use crate::cli::exit::CliError;

/// Replaces the delays of the kind of load balancer that was measured.
pub(super) fn measured(measured: &Measured) -> Result<Delays, CliError> {
    let defaults = Delays::default();
    match measured.load_balancer {
        Some(LoadBalancerType::Nlb) => Ok(Delays { network: replaced(defaults.network, measured), ..defaults }),
        Some(LoadBalancerType::Alb) => Ok(Delays { application: replaced(defaults.application, measured), ..defaults }),
        None => Err(CliError::Configuration(
            "--measured: the result does not name its load balancer type (nlb or alb)".to_owned(),
        )),
    }
}

fn replaced(defaults: LoadBalancerDelays, measured: &Measured) -> LoadBalancerDelays {
    LoadBalancerDelays {
        after_deregistration: measured.after_deregistration.map_or(defaults.after_deregistration, whole_seconds),
        after_unhealthy: measured.after_unhealthy.map_or(defaults.after_unhealthy, whole_seconds),
        health_counts_while_draining: measured.while_draining() != Some(WhileDraining::Not),
        is_measured: true,
    }
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a probe lasts at most a day")]
fn whole_seconds(bounds: Bounds) -> u32 {
    bounds.seconds().ceil().clamp(0.0, 86_400.0) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_measured_is_rounded_up_and_the_rest_stays() {
        let after_unhealthy = Some(Bounds { at_least: 30.1, at_most: Some(31.2) });
        let of = |load_balancer| Measured { load_balancer, after_unhealthy, ..Measured::default() };
        let delays = measured(&of(Some(LoadBalancerType::Nlb))).unwrap();
        assert_eq!((delays.network.after_unhealthy, delays.network.after_deregistration), (32, 120));
        assert_eq!((delays.application, delays.network.is_measured), (Delays::default().application, true));
        assert!(measured(&of(None)).is_err());
    }
}
