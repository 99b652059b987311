-- All logins of a person that have neither ended nor expired.
return (living(ARGV[1], '', ARGV[2]))
