//! Do clients find the service's tasks in a way in which spotdrain cannot remove a task?

use crate::check::{Check, CheckResult, CheckScope, Connections, Fix, Impact, Problem, Severity};
use crate::model::service::Reach;
use crate::model::subject::ServiceSubject;

const CREATE: &str = "https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_CreateService.html";

pub(super) const NO_TARGET_GROUP: Check = Check {
    id: "SD046",
    severity: Severity::Warning,
    title: "a service that no target group reaches",
    explanation: "spotdrain deregisters targets of Elastic Load Balancing. Clients that find the tasks by Service Connect, \
                  Cloud Map or VPC Lattice keep the address of an interrupted task until ECS removes it there, and DNS caches \
                  keep it longer.",
    sources: &["https://docs.aws.amazon.com/AmazonECS/latest/developerguide/interconnecting-services.html", CREATE],
    run: CheckScope::SpotService(no_target_group),
};

fn no_target_group(subject: &ServiceSubject<'_>) -> CheckResult {
    let service = subject.service;
    if service.balancers.known_or_err()?.is_some_and(|balancers| !balancers.is_empty()) {
        return Ok(None);
    }
    let reached = service.reached_by.known_or_err()?.map_or(&[][..], Vec::as_slice);
    let names: Vec<_> = reached.iter().filter(|one| **one != Reach::ManagedIngress).map(|one| one.name()).collect();
    Ok((!names.is_empty() && names.len() == reached.len()).then(|| {
        let description =
            format!("clients find it by {} only: spotdrain cannot take a task out there", names.join(" and "));
        let fix = Fix::new(
            "",
            "a short DNS TTL, clients that retry, and the application draining on SIGTERM; or a target group",
        )
        .in_terraform(
            "a short DNS TTL, clients that retry, and the application draining on SIGTERM; or a target group",
        );
        Problem::new(service.place.clone(), description, Impact::of(Connections::New), fix)
    }))
}

pub(super) const MANAGED_INGRESS: Check = Check {
    id: "SD050",
    severity: Severity::Note,
    title: "ingress that ECS manages",
    explanation: "The load balancer and target groups of a gateway connector or of Express Mode belong to ECS and are in no \
                  template. The function finds them by the service's revisions; the doctor does not see their settings before \
                  the deployment.",
    sources: &["https://docs.aws.amazon.com/AmazonECS/latest/developerguide/express-service-work.html", CREATE],
    run: CheckScope::SpotService(managed_ingress),
};

fn managed_ingress(subject: &ServiceSubject<'_>) -> CheckResult {
    let service = subject.service;
    let reached = service.reached_by.known_or_err()?.map_or(&[][..], Vec::as_slice);
    Ok(reached.contains(&Reach::ManagedIngress).then(|| {
        Problem::new(
            service.place.clone(),
            "ECS manages its ingress: the settings of its target groups are not examined",
            Impact::NONE,
            Fix::new("aws ecs describe-service-revisions shows its target groups", ""),
        )
    }))
}

impl Reach {
    fn name(self) -> &'static str {
        match self {
            Self::ServiceConnect => "Service Connect",
            Self::CloudMap => "Cloud Map",
            Self::Lattice => "VPC Lattice",
            Self::ManagedIngress => "ingress that ECS manages",
        }
    }
}
