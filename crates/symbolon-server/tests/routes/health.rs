use crate::harness::{House, get};

#[tokio::test]
async fn tells_a_living_process_from_a_ready_one() {
    let house = House::new().await;
    for path in ["/healthz", "/readyz"] {
        house.ask(get(path)).await.expect_status(200);
    }
    house.set_down(true);
    house.ask(get("/healthz")).await.expect_status(200);
    let answer = house.ask(get("/readyz")).await;
    answer.expect_problem(503, "unavailable");
    assert!(!answer.body.contains("SELECT"));
}
