;; Drives dape in batch mode: breakpoint, locals, evaluate, step, continue, disconnect. One line for each.
(require 'dape)
(setq dape-buffer-window-arrangement nil
      dape-start-hook nil dape-stopped-hook nil dape-update-ui-hook nil
      dape-display-source-hook nil
      dape-default-breakpoints-file (make-temp-file "dape"))
(load (getenv "CONFIGURATION"))

(defun wait-until (what condition)
  (let ((deadline (+ (float-time) 30)))
    (while (not (funcall condition))
      (when (> (float-time) deadline)
        (princ (format "no %s\n%s" what
                       (with-current-buffer (messages-buffer) (buffer-string))))
        (kill-emacs 1))
      (accept-process-output nil 0.05))))
(defun say (label value) (princ (format "%s %s\n" label value)))

(find-file (getenv "FILE"))
(python-mode)
(goto-char (point-min))
(forward-line (1- (string-to-number (getenv "LINE"))))
(dape-breakpoint-toggle)
(dape (dape--config-eval 'remora nil))

(defun stopped () (dape--live-connection 'stopped t))
(defun frame () (let ((conn (stopped))) (and conn (dape--current-stack-frame conn))))
(defun line () (plist-get (frame) :line))
(defun ask (command arguments)
  (let (answer)
    (dape-request (stopped) command arguments
                  (lambda (body error) (setq answer (or body (list :error error)))))
    (wait-until command (lambda () answer))
    answer))

(wait-until "stop" #'frame)
(say "stopped" (line))
(say "file" (plist-get (plist-get (frame) :source) :path))
(let* ((scopes (plist-get (ask :scopes (list :frameId (plist-get (frame) :id))) :scopes))
       (reference (plist-get (aref scopes 0) :variablesReference))
       (variables (plist-get (ask :variables (list :variablesReference reference)) :variables)))
  (say "local" (plist-get (aref variables 0) :name)))
(say "evaluated" (plist-get (ask :evaluate (list :expression "6 * 7" :context "repl"
                                                 :frameId (plist-get (frame) :id))) :result))
(let ((before (line)))
  (dape-next (stopped))
  (wait-until "step" (lambda () (and (frame) (not (equal (line) before))))))
(say "stepped" (line))
(dape-breakpoint-remove-all)
(let ((conn (stopped)))
  (dape-continue conn)
  (wait-until "continue" (lambda () (not (stopped))))
  (say "continued" "")
  (dape-disconnect-quit conn)
  (wait-until "disconnect" (lambda () (not (process-live-p (jsonrpc--process conn))))))
(say "disconnected" "")
