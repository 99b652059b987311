# My devices.
account_title = My devices
account_intro = Each device on which you are signed in, with the apps that you use there.
this_device = This device
signed_in_since = Signed in
last_used = Last used
expires = Expires at the latest
apps_of_login = Apps
end_own_login = Sign out
end_own_login_label = Sign out { $device }
sign_out_everywhere = Sign out everywhere
sign_out_everywhere_hint = On all devices and in all apps, here too.
