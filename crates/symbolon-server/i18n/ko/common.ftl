# 모든 화면과 여러 화면에서 함께 쓰는 값.
skip_to_content = 본문으로 건너뛰기
language_label = 언어
nav_label = 주요 메뉴
nav_account = 내 기기
nav_users = 사용자
nav_apps = 앱
sign_in = 로그인
sign_out = 로그아웃
signed_in_as = { $name } 님으로 로그인했습니다
footer_line = Symbolon: 로그인은 하나, 끝내면 어디에서나 끝납니다.
reveal_password = 비밀번호 보기
hide_password = 비밀번호 숨기기
copy = 복사
copied = 복사했습니다
optional = (선택)

shape_session = 세션
shape_jwt = JWT
role_admin = 관리자
unknown_device = 알 수 없는 기기
days = { $count }일
hours = { $count }시간
minutes = { $count }분
seconds = { $count }초
milliseconds = { $count }ms

notice_signed_out = 로그아웃했습니다.
notice_signed_out_everywhere = 모든 기기에서 로그아웃했습니다.
notice_set_up_done = 관리자 계정을 만들었습니다. 이제 로그인하세요.
notice_login_ended = 그 기기에서 로그아웃했습니다.
notice_login_gone = 이미 끝난 로그인입니다.
notice_user_added = 사용자를 추가했습니다.
notice_user_disabled = 사용자를 비활성화하고 모든 기기에서 로그아웃했습니다.
notice_user_enabled = 이제 이 사용자는 다시 로그인할 수 있습니다.
notice_shape_changed = { $app } 앱의 인증 방식을 바꿨습니다: { $shape }.
notice_nobody_signs_in_again = 아무도 다시 로그인하지 않아도 됩니다.
notice_freshness_changed = { $app } 앱의 최신성을 바꿨습니다: { $freshness }.
