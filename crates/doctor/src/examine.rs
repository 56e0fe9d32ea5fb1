//! Makes every check at every place where it belongs.

use std::collections::BTreeMap;

use crate::check::{Check, Run, Verdict};
use crate::checks::CHECKS;
use crate::diagnosis::{Diagnosis, Finding, NotChecked};
use crate::forecast::forecast;
use crate::model::group::Group;
use crate::model::root::Estate;
use crate::model::service::Balancer;
use crate::model::setting::{Fact, Unknown};
use crate::model::subject::{DeliverySite, GroupSite, ServiceSite};

/// Examines an estate.
#[must_use]
pub fn examine(estate: &Estate) -> Diagnosis {
    let mut examination = Examination::default();
    for check in CHECKS {
        examination.make(check, estate);
    }
    let mut diagnosis = examination.told();
    diagnosis.services = estate.services.len();
    let unread = estate.unread.iter().cloned();
    let unread = unread.map(|unread| NotChecked { checks: Vec::new(), subject: unread.subject, why: unread.why });
    diagnosis.not_checked.splice(0..0, unread);
    for service in &estate.services {
        let site = ServiceSite { estate, service };
        let groups = groups_of(site).filter_map(Result::ok);
        diagnosis
            .forecasts
            .extend(groups.filter(|_| site.may_be_on_spot()).filter_map(|site| forecast(&site, &diagnosis.findings)));
    }
    diagnosis
}

#[derive(Default)]
struct Examination {
    findings: Vec<Finding>,
    not_checked: BTreeMap<(String, String), Vec<&'static str>>,
}

impl Examination {
    fn make(&mut self, check: &'static Check, estate: &Estate) {
        let services = || estate.services.iter().map(|service| ServiceSite { estate, service });
        match check.run {
            Run::EveryService(run) => {
                services().for_each(|site| self.note(check, &site.service.place.name, run(&site)));
            }
            Run::SpotService(run) => {
                let on_spot = services().filter(ServiceSite::may_be_on_spot);
                on_spot.for_each(|site| self.note(check, &site.service.place.name, run(&site)));
            }
            Run::Group(run) => {
                for site in services().filter(ServiceSite::may_be_on_spot) {
                    self.make_for_groups(check, site, run);
                }
            }
            Run::Delivery(run) => match estate.delivery.need() {
                Ok(Some(delivery)) => {
                    let site = DeliverySite { estate, delivery };
                    self.note(check, &delivery.function.place.name, run(&site));
                }
                Ok(None) => {}
                Err(why) => self.note(check, "the function", Err(why)),
            },
        }
    }

    fn make_for_groups(&mut self, check: &'static Check, site: ServiceSite<'_>, run: fn(&GroupSite<'_>) -> Verdict) {
        for group in groups_of(site) {
            match group {
                Ok(site) => self.note(check, &site.group.place.name, run(&site)),
                Err(why) => self.note(check, &format!("a target group of {}", site.service.place.name), Err(why)),
            }
        }
    }

    fn note(&mut self, check: &'static Check, subject: &str, verdict: Verdict) {
        match verdict {
            Ok(None) => {}
            Ok(Some(fault)) => {
                let is_same = |known: &Finding| known.check.id == check.id && known.fault == fault;
                if !self.findings.iter().any(is_same) {
                    self.findings.push(Finding { check, fault, accepted: None });
                }
            }
            Err(Unknown(why)) => {
                let ids = self.not_checked.entry((subject.to_owned(), why)).or_default();
                if ids.last() != Some(&check.id) {
                    ids.push(check.id);
                }
            }
        }
    }

    fn told(mut self) -> Diagnosis {
        self.findings.sort_by_key(|finding| finding.check.severity);
        let entry = |((subject, why), checks)| NotChecked { checks, subject, why };
        let not_checked = self.not_checked.into_iter().map(entry).collect();
        Diagnosis { findings: self.findings, not_checked, ..Diagnosis::default() }
    }
}

/// Every target group of a service, of a blue/green service both.
fn groups_of(site: ServiceSite<'_>) -> impl Iterator<Item = Result<GroupSite<'_>, Unknown>> {
    let balancers = match &site.service.balancers {
        Fact::Known(balancers) => Ok(balancers.as_slice()),
        Fact::Absent => Ok(&[][..]),
        Fact::NotKnown(why) => Err(Unknown(why.clone())),
    };
    let (balancers, unknown) = balancers.map_or_else(|why| (&[][..], Some(Err(why))), |known| (known, None));
    balancers.iter().flat_map(move |balancer| both(site, balancer)).chain(unknown)
}

fn both<'a>(site: ServiceSite<'a>, balancer: &'a Balancer) -> impl Iterator<Item = Result<GroupSite<'a>, Unknown>> {
    let alternate = balancer.alternate.known();
    let at = move |group: &'a Group, alternate| GroupSite { of: site, balancer, group, alternate };
    let first = balancer.group.need().map(|group| group.map(|group| at(group, alternate)));
    let second = balancer.alternate.need().map(|group| group.map(|group| at(group, None)));
    [first, second].into_iter().filter_map(Result::transpose)
}
