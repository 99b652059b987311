-- One grant with its login, whatever their state.
local grant = read_grant(ARGV[1])
return grant and { show_login(grant.login), show_grant(grant) } or {}
