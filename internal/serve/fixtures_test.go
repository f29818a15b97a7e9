package serve_test

import "github.com/holdfast-pay/holdfast/internal/app"

// appAccount asks for an account at a bank that issues them.
var appAccount = app.AccountOrder{Bank: "004"}
