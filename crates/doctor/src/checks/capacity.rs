//! Where do the tasks run, and how many of them on Spot?

use crate::capacity_split::on_spot;
use crate::check::{Check, CheckResult, CheckScope, Connections, Fix, Impact, Problem, Severity};
use crate::model::placement::{OnSpot, Placement, SPOT};
use crate::model::service::StrategyItem;
use crate::model::subject::ServiceSubject;

const STRATEGY: &str =
    "https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_CapacityProviderStrategyItem.html";
const CREATE: &str = "https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_CreateService.html";
const FARGATE: &str = "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-capacity-providers.html";
const CLUSTER: &str = "https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_PutClusterCapacityProviders.html";

pub(super) const NO_STRATEGY: Check = Check {
    id: "SD001",
    severity: Severity::Warning,
    title: "no capacity provider strategy in a cluster made for Spot",
    explanation: "The cluster is set up for Fargate Spot, but none of its services runs there. This one names a launch type, \
                  which is always on demand, or neither a strategy nor a launch type. So none of its tasks is ever on Spot: \
                  it is never interrupted, and it costs the full price. If another service of the cluster runs on Spot, \
                  this one is assumed to be on demand on purpose.",
    sources: &[CREATE, FARGATE],
    run: CheckScope::EveryService(no_strategy),
};

fn no_strategy(subject: &ServiceSubject<'_>) -> CheckResult {
    let set = match subject.placement()? {
        Placement::Strategy(_) => return Ok(None),
        Placement::LaunchType(launch_type) if launch_type != "FARGATE" => return Ok(None),
        Placement::LaunchType(launch_type) => format!("launch type {launch_type} and no strategy"),
        Placement::Nothing => {
            "neither a strategy nor a launch type, and its cluster has no default strategy".to_owned()
        }
    };
    let capacity = &subject.service.capacity;
    let default = capacity.cluster_strategy.known_or_err()?;
    let by_default = default.is_some_and(|items| items.iter().any(|item| item.provider == SPOT));
    let providers = capacity.providers.known_or_err()?.map_or(&[][..], Vec::as_slice);
    let has = |wanted: &str| providers.iter().any(|name| name == wanted);
    let is_for_spot = by_default || has(SPOT) && !has("FARGATE");
    let is_meant = is_for_spot && !subject.is_beside_spot();
    let description = format!("{set}, in a cluster for {SPOT}: no task is on Spot");
    let place = subject.service.place.clone();
    Ok(is_meant.then(|| Problem::new(place, description, Impact::NONE, strategy_fix(subject))))
}

impl ServiceSubject<'_> {
    /// Whether another service of the same cluster runs on Fargate Spot.
    fn is_beside_spot(&self) -> bool {
        let others = self.deployment.services.iter().filter(|other| other.arn != self.service.arn);
        let mut others = others.filter(|other| other.cluster == self.service.cluster);
        others.any(|service| ServiceSubject { service, ..*self }.on_spot() == OnSpot::Yes)
    }
}

pub(super) const LAUNCH_TYPE_BESIDE: Check = Check {
    id: "SD002",
    severity: Severity::Error,
    title: "a launch type beside a capacity provider strategy",
    explanation: "A service can have a launch type or a capacity provider strategy, not both: ECS refuses to create or \
                  update it, and the service stays as it was.",
    sources: &[CREATE],
    run: CheckScope::EveryService(launch_type_beside),
};

fn launch_type_beside(subject: &ServiceSubject<'_>) -> CheckResult {
    let capacity = &subject.service.capacity;
    let has_strategy = capacity.strategy.known_or_err()?.is_some_and(|items| !items.is_empty());
    let Some(launch_type) = capacity.launch_type.known_or_err()?.filter(|_| has_strategy) else { return Ok(None) };
    Ok(Some(Problem::new(
        subject.service.place.clone(),
        format!("launch type {launch_type} beside a capacity provider strategy: ECS refuses the service"),
        Impact::NONE,
        Fix::new("", "remove LaunchType, keep CapacityProviderStrategy")
            .in_terraform("remove launch_type, keep the capacity_provider_strategy blocks"),
    )))
}

pub(super) const ALL_ON_SPOT: Check = Check {
    id: "SD003",
    severity: Severity::Warning,
    title: "every task is on Spot",
    explanation: "Fargate takes Spot capacity back for many tasks at a time, and does not start on-demand tasks in their \
                  place: the service waits until there is Spot capacity again. A base on FARGATE keeps some tasks \
                  running.",
    sources: &[FARGATE, STRATEGY],
    run: CheckScope::SpotService(all_on_spot),
};

fn all_on_spot(subject: &ServiceSubject<'_>) -> CheckResult {
    let Placement::Strategy(items) = subject.placement()? else { return Ok(None) };
    let place = subject.service.place.clone();
    let problem = |tasks: String| {
        let description = format!("{tasks} on {SPOT}: one shortage of capacity can take them all");
        Problem::new(place, description, Impact::of(Connections::All), strategy_fix(subject))
    };
    if is_only_spot(&items) {
        return Ok(Some(problem("every task is".to_owned())));
    }
    let tasks = subject.tasks()?;
    let all = tasks > 1 && *on_spot(&items, tasks).start() == tasks;
    Ok(all.then(|| problem(format!("{tasks} of {tasks} tasks are"))))
}

/// Whether no other provider ever gets a task.
pub(super) fn is_only_spot(items: &[StrategyItem]) -> bool {
    items.iter().all(|item| item.provider == SPOT || item.weight.max(item.base) == 0)
}

pub(super) const NONE_ON_SPOT: Check = Check {
    id: "SD004",
    severity: Severity::Note,
    title: "a strategy with Spot, and no task on it",
    explanation: "The base comes first, then the weights divide the rest. Where the base on FARGATE takes all the tasks, none \
                  is on Spot until the service scales out.",
    sources: &[STRATEGY],
    run: CheckScope::SpotService(none_on_spot),
};

fn none_on_spot(subject: &ServiceSubject<'_>) -> CheckResult {
    let Placement::Strategy(items) = subject.placement()? else { return Ok(None) };
    let tasks = subject.tasks()?;
    let none = tasks > 1 && *on_spot(&items, tasks).end() == 0;
    Ok(none.then(|| {
        let description = format!("0 of {tasks} tasks are on {SPOT}: the base takes them all");
        Problem::new(subject.service.place.clone(), description, Impact::NONE, strategy_fix(subject))
    }))
}

/// A strategy with a base of two tasks on demand, or fewer if there would be no task left for Spot.
fn strategy_fix(subject: &ServiceSubject<'_>) -> Fix {
    let base = subject.tasks().map_or(2, |tasks| tasks.saturating_sub(1).clamp(1, 2));
    Fix::new(
        format!(
            "aws ecs update-service {} --force-new-deployment --capacity-provider-strategy \
             capacityProvider=FARGATE,base={base},weight=1 capacityProvider=FARGATE_SPOT,weight=1",
            subject.command_names()
        ),
        format!(
            "CapacityProviderStrategy: [{{ CapacityProvider: FARGATE, Base: {base}, Weight: 1 }}, \
             {{ CapacityProvider: FARGATE_SPOT, Weight: 1 }}]"
        ),
    )
    .in_terraform(format!(
        "a capacity_provider_strategy block with capacity_provider = \"FARGATE\", base = {base} and weight = 1, and one with \
         capacity_provider = \"FARGATE_SPOT\" and weight = 1"
    ))
}

pub(super) const SPOT_CANNOT_RUN: Check = Check {
    id: "SD005",
    severity: Severity::Error,
    title: "a task that Fargate Spot cannot run",
    explanation: "Fargate Spot runs Linux: X86_64 from platform version 1.3.0, ARM64 from 1.4.0. It does not run Windows. A \
                  task of another kind is never placed on Spot.",
    sources: &[FARGATE],
    run: CheckScope::SpotService(spot_cannot_run),
};

fn spot_cannot_run(subject: &ServiceSubject<'_>) -> CheckResult {
    let Some(definition) = subject.service.task_definition.known_or_err()? else { return Ok(None) };
    let system = definition.system.value_or("LINUX".to_owned())?;
    if system.starts_with("WINDOWS") {
        let description = format!("its tasks are {system}, which {SPOT} does not run");
        let fix = Fix::new("", "RuntimePlatform: { OperatingSystemFamily: LINUX }")
            .in_terraform("runtime_platform { operating_system_family = \"LINUX\" }");
        return Ok(Some(Problem::new(definition.place.clone(), description, Impact::NONE, fix)));
    }
    let architecture = definition.architecture.value_or("X86_64".to_owned())?;
    let version = subject.service.platform_version.value_or("LATEST".to_owned())?;
    let (from, needed) = if architecture == "ARM64" { ((1, 4), "1.4.0") } else { ((1, 3), "1.3.0") };
    let description =
        format!("its tasks are {architecture} on platform version {version}; {SPOT} runs {architecture} from {needed}");
    let place = subject.service.place.clone();
    let problem = || Problem::new(place, description, Impact::NONE, platform_fix(subject));
    Ok(is_before(&version, from).then(problem))
}

fn platform_fix(subject: &ServiceSubject<'_>) -> Fix {
    Fix::new(
        format!("aws ecs update-service {} --force-new-deployment --platform-version LATEST", subject.command_names()),
        "PlatformVersion: LATEST",
    )
    .in_terraform("platform_version = \"LATEST\"")
}

fn is_before(version: &str, first: (u32, u32)) -> bool {
    let mut numbers = version.split('.').map(|part| part.parse::<u32>().unwrap_or(u32::MAX));
    (numbers.next().unwrap_or(u32::MAX), numbers.next().unwrap_or(u32::MAX)) < first
}

pub(super) const OLD_PLATFORM: Check = Check {
    id: "SD043",
    severity: Severity::Note,
    title: "an old platform version",
    explanation: "Platform version 1.4.0 and LATEST get AWS's fixes. 1.3.0 is the oldest on which Fargate Spot, stopTimeout \
                  and dependsOn work; AWS has announced the end of older versions before.",
    sources: &["https://docs.aws.amazon.com/AmazonECS/latest/developerguide/platform-fargate.html"],
    run: CheckScope::SpotService(old_platform),
};

fn old_platform(subject: &ServiceSubject<'_>) -> CheckResult {
    let version = subject.service.platform_version.value_or("LATEST".to_owned())?;
    // A version that Spot does not run is SD005.
    let is_old = is_before(&version, (1, 4)) && spot_cannot_run(subject)?.is_none();
    Ok(is_old.then(|| {
        let description = format!("platform version {version} is older than 1.4.0");
        Problem::new(subject.service.place.clone(), description, Impact::NONE, platform_fix(subject))
    }))
}

pub(super) const REFUSED_STRATEGY: Check = Check {
    id: "SD039",
    severity: Severity::Error,
    title: "a capacity provider strategy that ECS refuses",
    explanation: "Of several capacity providers at least one must have a weight above 0, and only one may have a base. All \
                  must be of one kind (Fargate or Auto Scaling groups), at most 20, and associated with the cluster. Otherwise \
                  ECS refuses to create or update the service, and RunTask fails.",
    sources: &[STRATEGY, CLUSTER, CREATE],
    run: CheckScope::EveryService(refused_strategy),
};

fn refused_strategy(subject: &ServiceSubject<'_>) -> CheckResult {
    let Placement::Strategy(items) = subject.placement()? else { return Ok(None) };
    let mut reasons = of_items(&items);
    match subject.service.capacity.providers.known_or_err() {
        Ok(Some(providers)) => reasons.extend(not_associated(&items, providers)),
        Err(why) if reasons.is_empty() => return Err(why),
        Ok(None) | Err(_) => {}
    }
    let fix = Fix::new(
        "aws ecs put-cluster-capacity-providers --cluster CLUSTER --capacity-providers FARGATE FARGATE_SPOT \
         --default-capacity-provider-strategy capacityProvider=FARGATE,weight=1",
        "CapacityProviders: [FARGATE, FARGATE_SPOT] in the cluster; in the strategy one Base, and a Weight of 1 or more",
    )
    .in_terraform(
        "capacity_providers = [\"FARGATE\", \"FARGATE_SPOT\"] in aws_ecs_cluster_capacity_providers; in the \
         capacity_provider_strategy blocks one base, and a weight of 1 or more",
    );
    let place = subject.service.place.clone();
    let description = format!("ECS refuses its capacity provider strategy: {}", reasons.join("; "));
    Ok((!reasons.is_empty()).then(|| Problem::new(place, description, Impact::NONE, fix)))
}

fn of_items(items: &[StrategyItem]) -> Vec<String> {
    let bases = items.iter().filter(|item| item.base > 0).count();
    let fargate = items.iter().filter(|item| item.provider.starts_with("FARGATE")).count();
    let table = [
        (items.len() > 1 && items.iter().all(|item| item.weight == 0), "every weight is 0"),
        (bases > 1, "more than one provider has a base"),
        (fargate > 0 && fargate < items.len(), "it mixes Fargate with other capacity providers"),
        (items.len() > 20, "it has more than 20 providers"),
    ];
    table.into_iter().filter(|(is_so, _)| *is_so).map(|(_, reason)| reason.to_owned()).collect()
}

fn not_associated(items: &[StrategyItem], providers: &[String]) -> Option<String> {
    let missing: Vec<_> = items
        .iter()
        .map(|item| item.provider.as_str())
        .filter(|name| !providers.iter().any(|one| one == name))
        .collect();
    (!missing.is_empty()).then(|| format!("{} not associated with the cluster", missing.join(", ")))
}

pub(super) const BREAKER_ON_SPOT: Check = Check {
    id: "SD048",
    severity: Severity::Warning,
    title: "a deployment circuit breaker on Spot alone",
    explanation: "The deployment circuit breaker fails a deployment whose tasks cannot be started. Where every task is on \
                  Spot, a shortage of Spot capacity looks like a broken release: the deployment fails, and a rollback needs \
                  the same capacity.",
    sources: &["https://docs.aws.amazon.com/AmazonECS/latest/developerguide/deployment-circuit-breaker.html", FARGATE],
    run: CheckScope::SpotService(breaker_on_spot),
};

fn breaker_on_spot(subject: &ServiceSubject<'_>) -> CheckResult {
    let Placement::Strategy(items) = subject.placement()? else { return Ok(None) };
    let is_so = is_only_spot(&items) && subject.service.circuit_breaker.value_or(false)?;
    Ok(is_so.then(|| {
        let description = format!("its deployment circuit breaker counts tasks that find no {SPOT} capacity as failed");
        Problem::new(subject.service.place.clone(), description, Impact::NONE, strategy_fix(subject))
    }))
}
