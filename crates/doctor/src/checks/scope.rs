//! Do the function's settings, and the service's tag, let it act for the service?

use crate::check::{Check, Connections, Cost, Fault, Mend, Run, Severity, Verdict};
use crate::model::delivery::Function;
use crate::model::root::Place;
use crate::model::setting::Unknown;
use crate::model::subject::{DeliverySite, ServiceSite};
use spotdrain_core::arn::ClusterArn;
use spotdrain_core::finding::ServiceTag;
use spotdrain_core::settings::{Mode, Settings};

const TAGS: &str = "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs-using-tags.html";
const VARIABLES: &str = "https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html";
const BALANCER: &str = "https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_AdvancedConfiguration.html";
const SPOT: &str = "https://repost.aws/knowledge-center/fargate-spot-termination-notice";

pub(super) const TAG: Check = Check {
    id: "SD029",
    severity: Severity::Error,
    title: "a service tag that turns the function off",
    explanation: "The tag spotdrain of a service restricts what the function does for it: off ignores its notices, observe \
                  reports them and changes nothing, hold leaves to the hold the targets that it takes care of, and any \
                  value that is none of on, hold, off and observe counts as observe.",
    sources: &[TAGS],
    run: Run::SpotService(tag),
};

fn tag(site: &ServiceSite<'_>) -> Verdict {
    let Some(value) = site.service.tag.need()?.filter(|_| site.is_tag_read()) else { return Ok(None) };
    let does = match ServiceTag::from_value(value) {
        ServiceTag::On | ServiceTag::Hold => return Ok(None),
        ServiceTag::Off => "the function ignores its notices",
        ServiceTag::Observe | ServiceTag::Unknown(_) => "the function changes nothing for it",
    };
    Ok(Some(Fault {
        place: site.service.place.clone(),
        found: format!("its tag spotdrain is {value:?}: {does}"),
        cost: Cost::of(Connections::All),
        mend: Mend::new(
            format!("aws ecs tag-resource --resource-arn {} --tags key=spotdrain,value=on", site.service.arn),
            "Tags: [{ Key: spotdrain, Value: \"on\" }]",
        ),
    }))
}

pub(super) const OUT_OF_SCOPE: Check = Check {
    id: "SD030",
    severity: Severity::Error,
    title: "a service or a group that the function does not look after",
    explanation: "SPOTDRAIN_CLUSTERS names the clusters whose notices are handled. With SPOTDRAIN_DISCOVER=false only the \
                  groups in SPOTDRAIN_TARGET_GROUPS are: of a blue/green service both must be named, because its tasks \
                  move from one to the other.",
    sources: &[BALANCER, VARIABLES],
    run: Run::SpotService(out_of_scope),
};

fn out_of_scope(site: &ServiceSite<'_>) -> Verdict {
    let Some(delivery) = site.estate.delivery.need()? else { return Ok(None) };
    let Ok(settings) = delivery.function.settings()? else { return Ok(None) };
    let cluster = site.service.cluster.need()?.and_then(|arn| ClusterArn::parse(arn).ok());
    let left_out = match cluster {
        Some(cluster) if !settings.in_scope(&cluster) => {
            Some(("SPOTDRAIN_CLUSTERS", format!("cluster {}", cluster.name()), cluster.to_string()))
        }
        _ => unnamed_group(site, &settings)?.map(|(name, arn)| ("SPOTDRAIN_TARGET_GROUPS", name, arn)),
    };
    Ok(left_out.map(|(setting, what, value)| Fault {
        place: site.service.place.clone(),
        found: format!("{setting} leaves out its {what}"),
        cost: Cost::of(Connections::All),
        mend: setting_mend(&delivery.function, setting, &value),
    }))
}

fn unnamed_group(site: &ServiceSite<'_>, settings: &Settings) -> Result<Option<(String, String)>, Unknown> {
    if settings.discover {
        return Ok(None);
    }
    let is_named = |arn: &str| settings.target_groups.iter().any(|group| group.arn.as_str() == arn);
    for balancer in site.service.balancers.need()?.into_iter().flatten() {
        for group in [&balancer.group, &balancer.alternate] {
            if let Some(group) = group.need()?.filter(|group| !is_named(&group.arn)) {
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
    explanation: "With SPOTDRAIN_MODE=observe the function reads, plans and reports, and changes nothing: meant for a first \
                  look, and easily forgotten.",
    sources: &[VARIABLES],
    run: Run::Delivery(observes),
};

fn observes(site: &DeliverySite<'_>) -> Verdict {
    let function = &site.delivery.function;
    let observes = function.settings()?.is_ok_and(|settings| settings.mode == Mode::Observe);
    Ok(observes.then(|| Fault {
        place: function.place.clone(),
        found: "SPOTDRAIN_MODE is observe: no target is taken out".to_owned(),
        cost: Cost::of(Connections::All),
        mend: setting_mend(function, "SPOTDRAIN_MODE", "enforce"),
    }))
}

pub(super) const SETTINGS: Check = Check {
    id: "SD032",
    severity: Severity::Error,
    title: "settings that the function refuses",
    explanation: "The function checks its SPOTDRAIN_ variables as a whole when it starts, and refuses to start where one is \
                  wrong or unknown: no notice is handled.",
    sources: &[VARIABLES],
    run: Run::Delivery(settings),
};

fn settings(site: &DeliverySite<'_>) -> Verdict {
    let function = &site.delivery.function;
    let problems = function.settings()?.err();
    Ok(problems.map(|error| Fault {
        place: function.place.clone(),
        found: format!("it refuses its settings: {error}"),
        cost: Cost::of(Connections::All),
        mend: Mend::new(
            format!("aws lambda update-function-configuration --function-name {} --environment ...", function.name),
            "the settings of README.md under Environment: Variables",
        ),
    }))
}

pub(super) const NO_FUNCTION: Check = Check {
    id: "SD033",
    severity: Severity::Warning,
    title: "no function",
    explanation: "ECS says that it deregisters an interrupted task itself; AWS's own knowledge base says that it might not \
                  until the task is stopped, and in 2025 it did not for a while. Without the function there is nothing \
                  beside.",
    sources: &[SPOT, "https://github.com/aws/containers-roadmap/issues/2673"],
    run: Run::SpotService(no_function),
};

fn no_function(site: &ServiceSite<'_>) -> Verdict {
    let is_missing = site.estate.delivery.need()?.is_none();
    let place = Place::live("the function".to_owned());
    Ok(is_missing.then(|| Fault {
        place,
        found: "no function with SPOTDRAIN_ settings is in this Region".to_owned(),
        cost: Cost::of(Connections::All),
        mend: Mend::new("sam deploy --guided --template deploy/template.yaml", ""),
    }))
}

fn setting_mend(function: &Function, name: &str, value: &str) -> Mend {
    Mend::new(
        format!("aws lambda update-function-configuration --function-name {}, with {name}={value}", function.name),
        format!("{name}: {value}"),
    )
}
