# 내 기기.
account_title = 내 기기
account_intro = 로그인한 기기와 그 기기에서 쓰는 앱입니다.
this_device = 이 기기
signed_in_since = 로그인한 때
last_used = 마지막 사용
expires = 절대 만료
apps_of_login = 앱
end_own_login = 로그아웃
end_own_login_label = { $device } 로그아웃
sign_out_everywhere = 모든 기기에서 로그아웃
sign_out_everywhere_hint = 이 기기를 포함해 모든 기기와 앱에서 로그아웃합니다.
