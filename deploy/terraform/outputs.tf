output "function_name" {
  description = "The function"
  value       = aws_lambda_function.spotdrain.function_name
}

output "log_group_name" {
  description = "Its log, one record for each notice"
  value       = aws_cloudwatch_log_group.spotdrain.name
}

output "capacity_log_group_name" {
  description = "The log of the capacity watch; null without it"
  value       = one(aws_cloudwatch_log_group.capacity[*].name)
}

output "rule_name" {
  description = "The rule that matches Spot notices"
  value       = aws_cloudwatch_event_rule.notices.name
}

output "queue_url" {
  description = "The queue between rule and function; null without one"
  value       = one(aws_sqs_queue.notices[*].url)
}

output "dead_letter_queue_url" {
  description = "The dead-letter queue"
  value       = aws_sqs_queue.dead_letters.url
}

output "dashboard_url" {
  description = "The dashboard"
  value       = "https://${local.region}.console.aws.amazon.com/cloudwatch/home?region=${local.region}#dashboards/dashboard/${aws_cloudwatch_dashboard.spotdrain.dashboard_name}"
}
