# No data is no alarm: without interruptions there is nothing to count.

locals {
  alarm_actions = var.alarm_topic == "none" ? [] : [var.alarm_topic]

  # Alarms on one metric: above 0, or the named threshold, in one period.
  alarms = merge(
    {
      # A failed message is retried: check whether it is done by now.
      failure = {
        description = "a registration failed, or a message could not be read. Look for 'notice, not done' and 'cannot be read' in its log."
        namespace   = "spotdrain", metric = "Failed", dimensions = {}, statistic = "Sum", period = 60, threshold = 0
      }
      # A function that does not start writes no metrics of its own.
      error = {
        description = "an invocation ended with an error, or the function does not start. See its log."
        namespace   = "AWS/Lambda", metric = "Errors", dimensions = { FunctionName = aws_lambda_function.spotdrain.function_name }
        statistic   = "Sum", period = 60, threshold = 0
      }
      # It stays in ALARM while any dead letter exists, so it cannot report another one.
      dead-letter = {
        description = "a notice ended in the dead-letter queue. Read the message, and its record in the function's log."
        namespace   = "AWS/SQS", metric = "ApproximateNumberOfMessagesVisible", dimensions = { QueueName = aws_sqs_queue.dead_letters.name }
        statistic   = "Maximum", period = 60, threshold = 0
      }
      # The function's own measurement of the delay behind "late" below. ApproximateAgeOfOldestMessage is said to leave out
      # messages that were received several times, which are the late ones; that was not verified.
      old-notice = {
        description = "a notice was more than 90 s old when it was handled, of the 120 s that its task has. Look for retries, throttling and errors in the log."
        namespace   = "spotdrain", metric = "NoticeAge", dimensions = {}, statistic = "Maximum", period = 60, threshold = 90000 # ms
      }
      # The service has a load balancer, and the function found no target group for the task: nothing was deregistered.
      unresolved = {
        description = "no target group was found for a task whose service has a load balancer. The record of its notice in the log says why."
        namespace   = "spotdrain", metric = "NoTargetGroupUnresolved", dimensions = {}, statistic = "Sum", period = 60, threshold = 0
      }
      # Without an address the function cannot find the task's target.
      address-unknown = {
        description = "a task was interrupted, but neither its event nor ECS has its IP address. Its target was not deregistered."
        namespace   = "spotdrain", metric = "AddressUnknown", dimensions = {}, statistic = "Sum", period = 60, threshold = 0
      }
      # The function keeps a group's last healthy target. This alarm shows what that rule could not prevent, such as a target that ECS
      # deregistered itself.
      group-emptied = {
        description = "a target group had no healthy target left after the function wrote to it."
        namespace   = "spotdrain", metric = "GroupEmptied", dimensions = {}, statistic = "Sum", period = 60, threshold = 0
      }
      unknown-stop-code = {
        description = "a notice was recognised only by its reason, because its stop code is absent or new. It was handled. Please report it: AWS has changed something."
        namespace   = "spotdrain", metric = "UnknownStopCode", dimensions = {}, statistic = "Sum", period = 300, threshold = 0
      }
    },
    # A notice that waits a minute has lost half of its time.
    { for queue in aws_sqs_queue.notices : "late" => {
      description = "a notice has been waiting for more than a minute. Is the function throttled, or does it fail?"
      namespace   = "AWS/SQS", metric = "ApproximateAgeOfOldestMessage", dimensions = { QueueName = queue.name }
      statistic   = "Maximum", period = 60, threshold = 60
    } },
  )

  # The metrics that the alarm below adds, by their names in the expression.
  nothing_done = {
    notices  = "Notices"
    absent   = "NotRegistered"
    kept     = "KeptLastHealthy"
    stale    = "Stale"
    gone     = "AlreadyGone"
    done     = "Deregistered"
    draining = "AlreadyDraining"
    held     = "LeftToHold"
    would    = "WouldDeregister"
  }
}

resource "aws_cloudwatch_metric_alarm" "one" {
  for_each            = local.alarms
  alarm_name          = "${var.name}-${each.key}"
  alarm_description   = "spotdrain: ${each.value.description}"
  namespace           = each.value.namespace
  metric_name         = each.value.metric
  dimensions          = each.value.dimensions
  statistic           = each.value.statistic
  period              = each.value.period
  comparison_operator = "GreaterThanThreshold"
  threshold           = each.value.threshold
  evaluation_periods  = 1
  treat_missing_data  = "notBreaching"
  alarm_actions       = local.alarm_actions
  tags                = var.tags
}

# Reports each new dead letter. The sum, because reading a letter only hides it for a while, and its return would look like a
# new one. SQS sends no data for a queue that has been empty and idle for hours: that is 0. One of three periods is enough,
# because a period whose data is late also counts as 0.
resource "aws_cloudwatch_metric_alarm" "new_dead_letter" {
  alarm_name          = "${var.name}-new-dead-letter"
  alarm_description   = "spotdrain: another message was moved to the dead-letter queue. Read it, and look up its notice in the function's log."
  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
  evaluation_periods  = 3
  datapoints_to_alarm = 1
  treat_missing_data  = "notBreaching"
  alarm_actions       = local.alarm_actions
  tags                = var.tags

  metric_query {
    id          = "new"
    label       = "New dead letters"
    return_data = true
    expression  = "DIFF(FILL(visible, 0) + FILL(hidden, 0))"
  }

  dynamic "metric_query" {
    for_each = { visible = "ApproximateNumberOfMessagesVisible", hidden = "ApproximateNumberOfMessagesNotVisible" }
    content {
      id = metric_query.key
      metric {
        namespace   = "AWS/SQS"
        metric_name = metric_query.value
        dimensions  = { QueueName = aws_sqs_queue.dead_letters.name }
        stat        = "Average"
        period      = 60
      }
    }
  }
}

# There were notices with target groups, but no target was deregistered, draining or left to its hold: a
# wrong target group, or groups of one target. A service without a target group has none, which is no reason for an alarm.
resource "aws_cloudwatch_metric_alarm" "nothing_done" {
  alarm_name          = "${var.name}-nothing-done"
  alarm_description   = "spotdrain: there were notices, and no target was deregistered or draining for any of them. Their records in the log say why."
  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
  evaluation_periods  = 1
  treat_missing_data  = "notBreaching"
  alarm_actions       = local.alarm_actions
  tags                = var.tags

  metric_query {
    id          = "nothing"
    label       = "Nothing done"
    return_data = true
    expression  = "IF(FILL(notices, 0) > 0 AND FILL(absent, 0) + FILL(kept, 0) + FILL(stale, 0) + FILL(gone, 0) > 0 AND FILL(done, 0) + FILL(draining, 0) + FILL(held, 0) + FILL(would, 0) == 0, 1, 0)"
  }

  dynamic "metric_query" {
    for_each = local.nothing_done
    content {
      id = metric_query.key
      metric {
        namespace   = "spotdrain"
        metric_name = metric_query.value
        stat        = "Sum"
        period      = 300
      }
    }
  }
}
