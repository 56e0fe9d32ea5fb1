//! Do clients find the service's tasks in a way in which spotdrain cannot remove a task?

use crate::check::{Check, CheckResult, CheckScope, Connections, Fix, Impact, Problem, Severity};
use crate::model::service::{Reach, Service};
use crate::model::setting::Setting;
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
                  template. The function finds them by the service's revisions, and so does the doctor once they are deployed; \
                  before, their settings are not examined. Express Mode keeps a change that was made outside it, unless an \
                  update of the service asks for another value.",
    sources: &[
        "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/express-service-work.html",
        "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/express-service-advanced-customization.html",
        CREATE,
    ],
    run: CheckScope::SpotService(managed_ingress),
};

fn managed_ingress(subject: &ServiceSubject<'_>) -> CheckResult {
    let service = subject.service;
    let reached = service.reached_by.known_or_err()?.map_or(&[][..], Vec::as_slice);
    Ok(reached.contains(&Reach::ManagedIngress).then(|| {
        let description = match managed_groups(service).as_slice() {
            [] => "ECS manages its ingress: the settings of its target groups are not examined".to_owned(),
            names => format!("ECS manages its ingress: {} examined, but in no template", are(names)),
        };
        let fix = Fix::new("aws ecs describe-service-revisions shows its target groups", "");
        Problem::new(service.place.clone(), description, Impact::NONE, fix)
    }))
}

/// The names of the target groups that ECS manages and that were read.
fn managed_groups(service: &Service) -> Vec<&str> {
    let managed = service.balancers.known().into_iter().flatten().filter(|balancer| balancer.is_managed);
    let groups = managed.flat_map(|balancer| [&balancer.group, &balancer.alternate]).filter_map(Setting::known);
    groups.map(|group| group.place.name.as_str()).collect()
}

fn are(names: &[&str]) -> String {
    format!("{} {}", names.join(" and "), if names.len() == 1 { "is" } else { "are" })
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
