//! Where do the tasks run, and can Spot run them?

use crate::capacity_split::on_spot;
use crate::check::{Check, Connections, Cost, Fault, Mend, Run, Severity, Verdict};
use crate::model::subject::{Placement, SPOT, ServiceSite};

const STRATEGY: &str =
    "https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_CapacityProviderStrategyItem.html";
const CREATE: &str = "https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_CreateService.html";
const FARGATE: &str = "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-capacity-providers.html";

pub(super) const NO_STRATEGY: Check = Check {
    id: "SD001",
    severity: Severity::Warning,
    title: "no capacity provider strategy, though Spot is meant",
    explanation: "The cluster has the capacity provider FARGATE_SPOT, but the service names no strategy and its cluster \
                  has no default one, or it names a launch type, which is on demand always. No task of it is ever on \
                  Spot: it is never interrupted, and it costs the full price.",
    sources: &[CREATE, FARGATE],
    run: Run::EveryService(no_strategy),
};

fn no_strategy(site: &ServiceSite<'_>) -> Verdict {
    let service = site.service;
    let set = match site.placement()? {
        Placement::Strategy(_) => return Ok(None),
        Placement::LaunchType(launch_type) if launch_type != "FARGATE" => return Ok(None),
        Placement::LaunchType(launch_type) => format!("launch type {launch_type} and no strategy"),
        Placement::Nothing => "neither a strategy nor a default one of the cluster".to_owned(),
    };
    let spot_is_meant = service.capacity.providers.need()?.is_some_and(|all| all.iter().any(|name| name == SPOT));
    let mend = Mend::new(
        format!(
            "aws ecs update-service {} --force-new-deployment --capacity-provider-strategy \
             capacityProvider=FARGATE,base=2,weight=1 capacityProvider=FARGATE_SPOT,weight=1",
            site.command_names()
        ),
        "CapacityProviderStrategy: [{ CapacityProvider: FARGATE, Base: 2, Weight: 1 }, { CapacityProvider: FARGATE_SPOT, Weight: 1 }]",
    );
    let found = format!("{set}, in a cluster with {SPOT}: no task is on Spot");
    Ok(spot_is_meant.then(|| Fault { place: service.place.clone(), found, cost: Cost::NONE, mend }))
}

pub(super) const LAUNCH_TYPE_BESIDE: Check = Check {
    id: "SD002",
    severity: Severity::Error,
    title: "a launch type beside a capacity provider strategy",
    explanation: "A service can have a launch type or a capacity provider strategy, not both: ECS refuses to create or \
                  update it, and the service stays as it was, whatever the template says of Spot.",
    sources: &[CREATE],
    run: Run::EveryService(launch_type_beside),
};

fn launch_type_beside(site: &ServiceSite<'_>) -> Verdict {
    let capacity = &site.service.capacity;
    let has_strategy = capacity.strategy.need()?.is_some_and(|items| !items.is_empty());
    let Some(launch_type) = capacity.launch_type.need()?.filter(|_| has_strategy) else { return Ok(None) };
    Ok(Some(Fault {
        place: site.service.place.clone(),
        found: format!("launch type {launch_type} beside a capacity provider strategy: ECS refuses the service"),
        cost: Cost::NONE,
        mend: Mend::new("", "remove LaunchType: the strategy stays"),
    }))
}

pub(super) const ALL_ON_SPOT: Check = Check {
    id: "SD003",
    severity: Severity::Warning,
    title: "every task is on Spot",
    explanation: "Fargate takes Spot capacity back for many tasks at a time, and never puts tasks on demand in their \
                  place: the service waits until there is Spot capacity again. With a base on FARGATE some tasks always \
                  stay.",
    sources: &[FARGATE, STRATEGY],
    run: Run::SpotService(all_on_spot),
};

fn all_on_spot(site: &ServiceSite<'_>) -> Verdict {
    let Placement::Strategy(items) = site.placement()? else { return Ok(None) };
    let only_spot = items.iter().all(|item| item.provider == SPOT || item.weight.max(item.base) == 0);
    let all = match site.service.desired.known() {
        Some(desired) if !only_spot => *desired > 1 && on_spot(&items, *desired) == *desired,
        _ => only_spot,
    };
    if !all && !only_spot {
        site.service.desired.need()?;
    }
    let count = site
        .service
        .desired
        .known()
        .map_or("every task is".to_owned(), |count| format!("{count} of {count} tasks are"));
    Ok(all.then(|| Fault {
        place: site.service.place.clone(),
        found: format!("{count} on {SPOT}: one shortage of capacity can take them all"),
        cost: Cost::of(Connections::All),
        mend: strategy_mend(site),
    }))
}

pub(super) const NONE_ON_SPOT: Check = Check {
    id: "SD004",
    severity: Severity::Note,
    title: "a strategy with Spot, and no task on it",
    explanation: "The base comes first, then the weights divide the rest. Where the base on FARGATE takes all the tasks \
                  that are wanted, none is on Spot until the service is scaled out.",
    sources: &[STRATEGY],
    run: Run::SpotService(none_on_spot),
};

fn none_on_spot(site: &ServiceSite<'_>) -> Verdict {
    let Placement::Strategy(items) = site.placement()? else { return Ok(None) };
    let Some(desired) = site.service.desired.need()?.filter(|desired| **desired > 1) else { return Ok(None) };
    Ok((on_spot(&items, *desired) == 0).then(|| Fault {
        place: site.service.place.clone(),
        found: format!("0 of {desired} tasks are on {SPOT}: the base takes them all"),
        cost: Cost::NONE,
        mend: strategy_mend(site),
    }))
}

fn strategy_mend(site: &ServiceSite<'_>) -> Mend {
    Mend::new(
        format!(
            "aws ecs update-service {} --force-new-deployment --capacity-provider-strategy \
             capacityProvider=FARGATE,base=2,weight=1 capacityProvider=FARGATE_SPOT,weight=1",
            site.command_names()
        ),
        "CapacityProviderStrategy: a Base of 1 or 2 on FARGATE, and a Weight on both",
    )
}

pub(super) const SPOT_CANNOT_RUN: Check = Check {
    id: "SD005",
    severity: Severity::Error,
    title: "a task that Fargate Spot cannot run",
    explanation: "Fargate Spot runs Linux: on X86_64 from platform version 1.3.0, on ARM64 from 1.4.0. It does not run \
                  Windows. A task of another kind is not placed on Spot at all.",
    sources: &[FARGATE],
    run: Run::SpotService(spot_cannot_run),
};

fn spot_cannot_run(site: &ServiceSite<'_>) -> Verdict {
    let Some(definition) = site.service.task_definition.need()? else { return Ok(None) };
    let system = definition.system.or("LINUX".to_owned())?;
    let architecture = definition.architecture.or("X86_64".to_owned())?;
    let version = site.service.platform_version.or("LATEST".to_owned())?;
    let (place, found, line) = if system.starts_with("WINDOWS") {
        (
            &definition.place,
            format!("its tasks are {system}, which {SPOT} does not run"),
            "RuntimePlatform: { OperatingSystemFamily: LINUX }",
        )
    } else if architecture == "ARM64" && is_before_1_4(&version) {
        let found = format!("its tasks are ARM64 on platform {version}, and {SPOT} runs ARM64 from 1.4.0");
        (&site.service.place, found, "PlatformVersion: LATEST")
    } else {
        return Ok(None);
    };
    let command =
        format!("aws ecs update-service {} --force-new-deployment --platform-version LATEST", site.command_names());
    let command = if line.starts_with("PlatformVersion") { command } else { String::new() };
    Ok(Some(Fault { place: place.clone(), found, cost: Cost::NONE, mend: Mend::new(command, line) }))
}

fn is_before_1_4(version: &str) -> bool {
    let mut numbers = version.split('.').map(|part| part.parse::<u32>().unwrap_or(u32::MAX));
    (numbers.next().unwrap_or(u32::MAX), numbers.next().unwrap_or(u32::MAX)) < (1, 4)
}
