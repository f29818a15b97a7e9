package korean

// What is said of a request before it is known what it asks for, and of failures.
const (
	NotFound         = "존재하지 않는 경로입니다."
	MethodNotAllowed = "허용되지 않는 메서드입니다."
	Failure          = "일시적인 오류가 발생하였습니다. 잠시 후 다시 시도해 주세요."
	TooLarge         = "요청 본문은 1MiB를 넘을 수 없습니다."
	Compressed       = "압축된 요청 본문은 지원하지 않습니다. Content-Encoding 없이 보내 주세요."
	EmptyBody        = "요청 본문이 비어 있습니다."
)
