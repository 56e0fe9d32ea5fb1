//! DeregisterTargets: the one call that changes anything.
//!
//! A bad target refuses the whole call (`InvalidTarget`; `ValidationError` for an address of the other family), so the call
//! is split in two until the bad one is alone.
//! Source: <https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_DeregisterTargets.html>

use aws_sdk_elasticloadbalancingv2::types::TargetDescription;
use spotdrain_core::arn::TargetGroupArn;
use spotdrain_core::outcome::Failure;
use spotdrain_core::target::Target;

use crate::aws::Aws;
use crate::call::call_paced;
use crate::clock::Deadline;
use crate::turn::Pace;

/// The name of the call.
pub(crate) const CALL: &str = "DeregisterTargets";

/// What AWS said about a target.
#[derive(Debug, Clone)]
pub(crate) enum Said {
    /// Success, which it also says of a target that is not there.
    Accepted,
    /// That the target is none for this group.
    Refused(Failure),
    /// That there is no such group.
    GroupGone,
    /// Something else, or nothing.
    Failed(Failure),
}

impl Said {
    /// Whether this tells what became of the target. `unread`: its port was not read before.
    pub(crate) fn is_sure(&self, unread: bool) -> bool {
        match self {
            Self::Accepted => !unread,
            Self::Refused(_) => false,
            Self::GroupGone | Self::Failed(_) => true,
        }
    }
}

/// Writes to one target group.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Writer<'a> {
    pub(crate) aws: &'a Aws,
    pub(crate) pace: &'a Pace,
    pub(crate) group: &'a TargetGroupArn,
    pub(crate) deadline: Deadline,
}

impl Writer<'_> {
    /// Deregisters the targets, with one call if none of them is bad.
    pub(crate) async fn deregister(&self, targets: Vec<Target>) -> Vec<(Target, Said)> {
        let mut told = Vec::with_capacity(targets.len());
        let mut chunks = vec![targets];
        while let Some(mut chunk) = chunks.pop() {
            let said = self.send(&chunk).await;
            if matches!(said, Said::Refused(_)) && chunk.len() > 1 {
                let half = chunk.split_off(chunk.len() / 2);
                chunks.extend([half, chunk]);
            } else {
                told.extend(chunk.into_iter().map(|target| (target, said.clone())));
            }
        }
        told
    }

    async fn send(&self, targets: &[Target]) -> Said {
        let request = self.aws.elb.deregister_targets().target_group_arn(self.group.as_str());
        let request = request.set_targets(Some(targets.iter().map(describe).collect()));
        let turn = || self.pace.take(self.deadline);
        match call_paced(CALL, self.deadline, turn, || request.clone().send()).await {
            Ok(_) => Said::Accepted,
            Err(error) => match error.code.as_deref() {
                Some("InvalidTarget" | "ValidationError") => Said::Refused(error.failure),
                Some("TargetGroupNotFound") => Said::GroupGone,
                _ => Said::Failed(error.failure),
            },
        }
    }
}

fn describe(target: &Target) -> TargetDescription {
    let port = target.port.map(i32::from);
    TargetDescription::builder().id(target.address.to_string()).set_port(port).build()
}
