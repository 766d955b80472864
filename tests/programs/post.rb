# Posts to a hook of Houston by slack-notifier: post.rb URL

require "slack-notifier"

notifier = Slack::Notifier.new(ARGV.fetch(0), username: "Ruby", icon_emoji: ":gem:")
card = { color: "good", title: "Backup", text: "See [the log](https://ci.example.org/7)" }
answer = notifier.ping("From *slack-notifier*", attachments: [card])
abort "#{answer.code} #{answer.body}" unless answer.code == "200" && answer.body == "ok"
