//! Do the function's settings and the service's tag let it act for the service?

use crate::check::{Check, CheckResult, CheckScope, Connections, Fix, Impact, Problem, Severity};
use crate::model::delivery::Function;
use crate::model::setting::Unknown;
use crate::model::subject::{DeliverySubject, ServiceSubject};
use spotdrain_core::model::arn::ClusterArn;
use spotdrain_core::model::observed::ServiceTag;
use spotdrain_core::settings::{Mode, Settings};

const TAGS: &str = "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs-using-tags.html";
const VARIABLES: &str = "https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html";
const BALANCER: &str = "https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_AdvancedConfiguration.html";

pub(super) const TAG: Check = Check {
    id: "SD029",
    severity: Severity::Error,
    title: "a service tag that turns the function off",
    explanation: "The tag spotdrain of a service restricts what the function does for it: off ignores its notices, observe \
                  reports them and changes nothing, hold leaves held targets to the hold, and any other value \
                  than on, hold, off and observe counts as observe.",
    sources: &[TAGS],
    run: CheckScope::SpotService(tag),
};

fn tag(subject: &ServiceSubject<'_>) -> CheckResult {
    let Some(value) = subject.service.tag.known_or_err()?.filter(|_| subject.is_tag_read()) else { return Ok(None) };
    let does = match ServiceTag::from_value(value) {
        ServiceTag::On | ServiceTag::Hold => return Ok(None),
        ServiceTag::Off => "the function ignores its notices",
        ServiceTag::Observe | ServiceTag::Unknown(_) => "the function changes nothing for it",
    };
    Ok(Some(Problem::new(
        subject.service.place.clone(),
        format!("its tag spotdrain is {value:?}: {does}"),
        Impact::of(Connections::All),
        Fix::new(
            format!("aws ecs tag-resource --resource-arn {} --tags key=spotdrain,value=on", subject.service.arn),
            "Tags: [{ Key: spotdrain, Value: \"on\" }]",
        )
        .in_terraform("tags = { spotdrain = \"on\" }"),
    )))
}

pub(super) const OUT_OF_SCOPE: Check = Check {
    id: "SD030",
    severity: Severity::Error,
    title: "a service or a group outside the function's scope",
    explanation: "SPOTDRAIN_CLUSTERS names the clusters whose notices are handled. With SPOTDRAIN_DISCOVER=false only \
                  the groups in SPOTDRAIN_TARGET_GROUPS are handled. A blue/green service has two groups, and both must be \
                  named, because its tasks move from one to the other.",
    sources: &[BALANCER, VARIABLES],
    run: CheckScope::SpotService(out_of_scope),
};

fn out_of_scope(subject: &ServiceSubject<'_>) -> CheckResult {
    let Some(delivery) = subject.deployment.delivery.known_or_err()? else { return Ok(None) };
    let Ok(settings) = delivery.function.settings()? else { return Ok(None) };
    let cluster = subject.service.cluster.known_or_err()?.and_then(|arn| ClusterArn::parse(arn).ok());
    let left_out = match cluster {
        Some(cluster) if !settings.in_scope(&cluster) => {
            Some(("SPOTDRAIN_CLUSTERS", format!("cluster {}", cluster.name()), cluster.to_string()))
        }
        _ => unnamed_group(subject, &settings)?.map(|(name, arn)| ("SPOTDRAIN_TARGET_GROUPS", name, arn)),
    };
    Ok(left_out.map(|(setting, what, value)| {
        Problem::new(
            subject.service.place.clone(),
            format!("{setting} leaves out its {what}"),
            Impact::of(Connections::All),
            setting_fix(&delivery.function, setting, &value),
        )
    }))
}

fn unnamed_group(subject: &ServiceSubject<'_>, settings: &Settings) -> Result<Option<(String, String)>, Unknown> {
    if settings.discover {
        return Ok(None);
    }
    let is_named = |arn: &str| settings.target_groups.iter().any(|group| group.arn.as_str() == arn);
    for balancer in subject.service.balancers.known_or_err()?.into_iter().flatten() {
        for group in [&balancer.group, &balancer.alternate] {
            if let Some(group) = group.known_or_err()?.filter(|group| !is_named(&group.arn)) {
                return Ok(Some((group.place.name.clone(), group.arn.clone())));
            }
        }
    }
    Ok(None)
}

pub(super) const OBSERVES: Check = Check {
    id: "SD031",
    severity: Severity::Warning,
    title: "a function that only observes",
    explanation: "With SPOTDRAIN_MODE=observe the function reads, plans and reports, and changes nothing. That is \
                  expected at first, and easily forgotten. To switch, deploy with Mode=enforce.",
    sources: &[VARIABLES],
    run: CheckScope::Delivery(observes),
};

fn observes(subject: &DeliverySubject<'_>) -> CheckResult {
    let function = &subject.delivery.function;
    let observes = function.settings()?.is_ok_and(|settings| settings.mode == Mode::Observe);
    Ok(observes.then(|| {
        Problem::new(
            function.place.clone(),
            "SPOTDRAIN_MODE is observe: no target is deregistered".to_owned(),
            Impact::of(Connections::All),
            setting_fix(function, "SPOTDRAIN_MODE", "enforce"),
        )
    }))
}

pub(super) const SETTINGS: Check = Check {
    id: "SD032",
    severity: Severity::Error,
    title: "settings that the function refuses",
    explanation: "The function checks its SPOTDRAIN_ variables as a whole when it starts, and refuses to start where one is \
                  wrong or unknown: no notice is handled.",
    sources: &[VARIABLES],
    run: CheckScope::Delivery(settings),
};

fn settings(subject: &DeliverySubject<'_>) -> CheckResult {
    let function = &subject.delivery.function;
    let problems = function.settings()?.err();
    Ok(problems.map(|error| {
        Problem::new(
            function.place.clone(),
            format!("it refuses its settings: {error}"),
            Impact::of(Connections::All),
            Fix::new(
                format!("aws lambda update-function-configuration --function-name {} --environment ...", function.name),
                "the settings of README.md under Environment: Variables",
            )
            .in_terraform("the settings of README.md in environment, variables"),
        )
    }))
}

fn setting_fix(function: &Function, name: &str, value: &str) -> Fix {
    Fix::new(
        format!("aws lambda update-function-configuration --function-name {}, with {name}={value}", function.name),
        format!("{name}: {value}"),
    )
    .in_terraform(format!("{name} = \"{value}\" in environment, variables"))
}
