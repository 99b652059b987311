-- One login with its grants, whatever its state.
local login = read_login(ARGV[1])
return login and with_grants(login) or {}
