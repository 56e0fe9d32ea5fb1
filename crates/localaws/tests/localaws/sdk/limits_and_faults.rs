//! Rate limits, faults, and the server itself.

use super::*;

#[tokio::test]
async fn twenty_deregistrations_pass_at_once_and_then_four_a_second() {
    let local = demo().await;
    // The clock runs on by itself here, so a token more may come in: no call beyond the twenty-first is counted on.
    let mut refused = None;
    for number in 1..=100 {
        if let Err(error) = local.deregister(target("10.0.77.77", Some(5044))).await {
            assert!(number > 20, "call {number}");
            refused = Some(error);
            break;
        }
    }
    let error = refused.expect("a call is refused");
    assert_eq!(error.raw_response().unwrap().status().as_u16(), 400);
    let error = error.into_service_error();
    assert_eq!((error.code(), error.message()), (Some("Throttling"), Some("Rate exceeded")));
    local.aws.advance(Duration::from_millis(250));
    local.deregister(target("10.0.77.77", Some(5044))).await.unwrap();
}

#[tokio::test]
async fn throttles_can_be_off() {
    let local = with(|scene| scene.world.set_throttles(Throttles::Off)).await;
    for _ in 0..100 {
        local.deregister(target("10.0.77.77", Some(5044))).await.unwrap();
    }
}

#[tokio::test]
async fn a_fault_prevents_the_call() {
    let local = demo().await;
    let table = [
        (Fault::Refuse, 400, "Throttling"),
        (Fault::AccessDenied, 403, "AccessDenied"),
        (Fault::ServerError, 500, "InternalFailure"),
        (Fault::Unavailable, 503, "ServiceUnavailable"),
    ];
    for (fault, status, code) in table {
        local.aws.world().add_fault(fault.on(Action::DeregisterTargets).times(1));
        let error = local.deregister(target(SPOT_ADDRESS, Some(5044))).await.unwrap_err();
        assert_eq!(error.raw_response().unwrap().status().as_u16(), status);
        let error = error.into_service_error();
        assert_eq!(error.code(), Some(code));
        if fault == Fault::AccessDenied {
            let text = format!("perform: elasticloadbalancing:DeregisterTargets on resource: {}", local.scene.group);
            assert!(error.message().unwrap().contains(&text), "{error:?}");
        }
        assert_eq!(local.state(), Some(State::Healthy));
    }
    local.deregister(target(SPOT_ADDRESS, Some(5044))).await.unwrap();
}

#[tokio::test]
async fn a_reset_ends_the_connection_before_or_after_the_work() {
    let local = demo().await;
    for (fault, state) in [(Fault::Reset, State::Healthy), (Fault::ResetAfterWork, State::Draining)] {
        local.aws.world().add_fault(fault.times(1));
        let error = local.deregister(target(SPOT_ADDRESS, Some(5044))).await.unwrap_err();
        let SdkError::DispatchFailure(failure) = error else { panic!("{error:?}") };
        assert!(failure.is_io(), "{failure:?}");
        assert_eq!(local.state(), Some(state));
    }
    assert_eq!(local.answers(), [CallResult::NoAnswer, CallResult::NoAnswer]);
    local.deregister(target(SPOT_ADDRESS, Some(5044))).await.unwrap();
}

#[tokio::test]
async fn a_hang_lasts_until_the_caller_times_out() {
    let local = demo().await;
    for (fault, state) in [(Fault::Hang, State::Healthy), (Fault::HangAfterWork, State::Draining)] {
        local.aws.world().add_fault(fault.times(1));
        let error = local.deregister_impatiently().await.unwrap_err();
        assert!(matches!(error, SdkError::TimeoutError(_)), "{error:?}");
        assert_eq!(local.state(), Some(state));
    }
}

#[tokio::test]
async fn a_slow_answer_comes_after_the_work() {
    let local = demo().await;
    local.aws.world().add_fault(FaultRule::from(Fault::Slow(Duration::from_mins(1))).times(1));
    let error = local.deregister_impatiently().await.unwrap_err();
    assert!(matches!(error, SdkError::TimeoutError(_)), "{error:?}");
    assert_eq!(local.state(), Some(State::Draining));
    assert_eq!(local.answers(), [CallResult::Ok]);
    local.aws.world().add_fault(Fault::Slow(Duration::from_millis(1)).times(1).delay(Duration::from_millis(1)));
    local.aws.world().set_latency(Duration::from_millis(1));
    local.deregister(target(SPOT_ADDRESS, Some(5044))).await.unwrap();
}

#[tokio::test]
async fn an_unsupported_action_is_refused() {
    let local = demo().await;
    let elb = local.elb.describe_account_limits().send().await.unwrap_err().into_service_error();
    assert_eq!(elb.code(), Some("InvalidAction"));
    let ecs = local.ecs.list_account_settings().send().await.unwrap_err().into_service_error();
    assert_eq!(ecs.code(), Some("UnknownOperationException"));
}

#[test]
fn serves_from_a_thread_and_stops_when_dropped() {
    let aws = LocalAws::spawn_thread(Scene::demo().world).unwrap();
    let address = aws.endpoint().strip_prefix("http://").unwrap().to_owned();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (elb, _) = clients(&aws);
    let groups = runtime.block_on(elb.describe_target_groups().send()).unwrap();
    assert_eq!(groups.target_groups().len(), 1);
    drop(aws);
    assert!(std::net::TcpStream::connect(address).is_err());
}
